"""Certificates and keys as nginx loads them: names, end and public key, read from their DER bytes."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from typing import Iterator, List, NamedTuple, Optional, Tuple

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_ALTERNATIVE = b"\x55\x1d\x11"  # 2.5.29.17, the other names of the subject
_COMMON = b"\x55\x04\x03"  # 2.5.4.3, commonName
_SEQUENCE, _INTEGER, _NAME = 0x30, 0x02, 0x82
_SHORT_YEAR = 0x17


class Certificate(NamedTuple):
    """The first certificate of a file. names: in lower case; until: seconds since 1970; key: its public key."""

    names: Tuple[str, ...]
    until: float
    key: bytes


class Node(NamedTuple):
    """One DER value."""

    tag: int
    value: bytes

    @property
    def parts(self) -> List[Node]:
        return list(_values(self.value))


def certificate(pem: bytes) -> Optional[Certificate]:
    """What a certificate file says; None when there is no certificate in it that can be read."""
    for kind, body in _PEM.findall(pem):
        if kind in (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"):
            try:
                return _certificate(next(_values(a2b_base64(body))))
            except (Error, IndexError, ValueError, StopIteration):
                return None
    return None


def public_key(pem: bytes) -> Optional[bytes]:
    """The public half of a private key, in the form of ``Certificate.key``.

    ``b""`` when it cannot be told: encrypted, or of a kind that does not carry it. None when the file holds no key at all.
    """
    for kind, body in _PEM.findall(pem):
        if kind.endswith(b"PRIVATE KEY"):
            if kind.startswith(b"ENCRYPTED") or b"Proc-Type" in body:
                return b""
            try:
                return _public(kind, next(_values(a2b_base64(body))))
            except (Error, IndexError, ValueError, StopIteration):
                return None
    return None


def _values(data: bytes) -> Iterator[Node]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length > 127:
            size = length & 127
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("cut short")
        yield Node(tag, data[at : at + length])
        at += length


def _certificate(whole: Node) -> Certificate:
    fields = whole.parts[0].parts
    if fields[0].tag == 0xA0:
        del fields[0]
    _, _, _, validity, subject, key, *rest = fields
    return Certificate(_alternatives(rest) or _common(subject), _moment(validity.parts[1]), key.parts[1].value[1:])


def _alternatives(rest: List[Node]) -> Tuple[str, ...]:
    extensions = [extension.parts for node in rest if node.tag == 0xA3 for extension in node.parts[0].parts]
    listed = [parts[-1].parts[0].parts for parts in extensions if parts[0].value == _ALTERNATIVE]
    return tuple(name.value.decode("ascii", "replace").lower() for names in listed for name in names if name.tag == _NAME)


def _common(subject: Node) -> Tuple[str, ...]:
    pairs = [pair.parts for group in subject.parts for pair in group.parts]
    return tuple(parts[1].value.decode("utf-8", "replace").lower() for parts in pairs if parts[0].value == _COMMON)


def _moment(node: Node) -> float:
    from datetime import datetime, timezone

    text = node.value.decode("ascii").rstrip("Z")
    if node.tag == _SHORT_YEAR:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc).timestamp()


def _public(kind: bytes, key: Node) -> bytes:
    parts = key.parts
    if kind == b"RSA PRIVATE KEY":
        return _rsa(parts)
    if kind == b"EC PRIVATE KEY":
        return _curve(parts)
    inner = next(_values(parts[2].value), Node(0, b""))
    if inner.tag != _SEQUENCE:
        return b""
    return _rsa(inner.parts) if len(inner.parts) > 5 else _curve(inner.parts)


def _rsa(parts: List[Node]) -> bytes:
    """SEQUENCE of modulus and exponent, as in a certificate."""
    body = encoded(_INTEGER, parts[1].value) + encoded(_INTEGER, parts[2].value)
    return encoded(_SEQUENCE, body)


def _curve(parts: List[Node]) -> bytes:
    """The point, when the key carries it."""
    points = [node.parts[0].value[1:] for node in parts if node.tag == 0xA1]
    return points[0] if points else b""


def encoded(tag: int, value: bytes) -> bytes:
    """One DER value."""
    length = len(value)
    if length < 128:
        return bytes((tag, length)) + value
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 128 | size)) + length.to_bytes(size, "big") + value


def covers(names: Tuple[str, ...], wanted: str) -> bool:
    """Does one of a certificate's names cover a server's name? ``*`` stands for one label."""
    return any(name == wanted or (name[:2] == "*." and wanted.partition(".")[2] == name[2:]) for name in names)
