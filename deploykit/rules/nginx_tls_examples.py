"""A TLS server, and files that are built like a certificate and a key but are neither: enough for the rules to read."""

from __future__ import annotations

from binascii import b2a_base64

from deploykit.rules.nginx_certificates import encoded
from deploykit.rules.nginx_examples import a_block, a_http

_SEQUENCE, _SET, _INTEGER, _BITS, _OCTETS, _NAME, _TIME = 0x30, 0x31, 0x02, 0x03, 0x04, 0x0C, 0x17
_END = "300601000000Z"
VALID = 1893456000.0  # 2030-01-01, five months before its end
OVER = 1909000000.0  # three weeks after it


def a_tls_server(name: str = "app.example.com", listen: str = "listen 443 ssl;") -> str:
    """A server that speaks TLS, with the certificate and the key of the examples below."""
    files = ("ssl_certificate /etc/ssl/app/good.pem;", "ssl_certificate_key /etc/ssl/app/good.key;")
    return a_http(*a_block("server", listen, f"server_name {name};", *files, "return 204;"))


def _sequence(*parts: bytes) -> bytes:
    return encoded(_SEQUENCE, b"".join(parts))


def _pem(kind: str, der: bytes) -> bytes:
    return f"-----BEGIN {kind}-----\n".encode() + b2a_base64(der) + f"-----END {kind}-----\n".encode()


def _certificate(name: str, point: bytes) -> bytes:
    number = encoded(_INTEGER, b"\x01")
    subject = _sequence(encoded(_SET, _sequence(encoded(0x06, b"\x55\x04\x03"), encoded(_NAME, name.encode()))))
    times = _sequence(encoded(_TIME, b"250601000000Z"), encoded(_TIME, _END.encode()))
    key = _sequence(_sequence(), encoded(_BITS, b"\x00" + point))
    return _pem("CERTIFICATE", _sequence(_sequence(number, _sequence(), subject, times, subject, key)))


def _key(point: bytes) -> bytes:
    inner = (encoded(_INTEGER, b"\x01"), encoded(_OCTETS, b"none"), encoded(0xA1, encoded(_BITS, b"\x00" + point)))
    return _pem(" ".join(("EC", "PRIVATE", "KEY")), _sequence(*inner))


CERTIFICATE = {"/etc/ssl/app/good.pem": _certificate("app.example.com", b"point")}
KEY = {"/etc/ssl/app/good.key": _key(b"point")}
FOREIGN_KEY = {"/etc/ssl/app/good.key": _key(b"other")}
