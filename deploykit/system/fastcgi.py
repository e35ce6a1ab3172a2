"""Ask php-fpm one question over FastCGI, without a web server between.

The protocol is the FastCGI Specification 1.0: records of 8 bytes of header and at most 65,535 of content.
We are a web server that sends one GET request as a responder's, and closes.
"""

from __future__ import annotations

import socket
from time import monotonic
from typing import Iterator, List, Tuple

from deploykit.model import Answer

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
LARGEST_ANSWER = 1 << 20
ENDS = {b"\1": "cannot multiplex connections", b"\2": "is overloaded", b"\3": "does not know the responder's role"}


def ask(address: str, path: str, seconds: float, query: str = "") -> Answer:
    """GET ``path`` from the pool that listens at ``address``: ``unix:/run/x.sock``, ``/run/x.sock``, ``host:port`` or ``port``.

    path is sent as the script's name and file alike, as a pool's ping and status pages want it; a query may also be
    behind a ``?`` in it. seconds is for the whole exchange. The answer's status is the ``Status:`` header's, else 200,
    and its error what PHP wrote to stderr. Status 0 with the reason in error when nothing, or nothing whole, came back.
    The body ends after 1 MiB. Never raises for a service that does not answer.
    """
    until = monotonic() + seconds
    name, _, behind = path.partition("?")
    try:
        with _connect(address, seconds) as wire:
            wire.sendall(_request(name, query or behind))
            return _collect(wire, until)
    except (OSError, ValueError, OverflowError) as error:
        return Answer(0, error=f"{address}: {getattr(error, 'strerror', None) or error}")


def _connect(address: str, seconds: float) -> socket.socket:
    if address.startswith(("unix:", "/")):
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            wire.settimeout(seconds)
            wire.connect(address[5:] if address.startswith("unix:") else address)
        except BaseException:
            wire.close()
            raise
        return wire
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise ValueError("an address is unix:/path or host:port")
    return socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), seconds)


def _request(path: str, query: str) -> bytes:
    pairs = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": path,
        "SCRIPT_FILENAME": path,
        "REQUEST_URI": f"{path}?{query}" if query else path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "deploykit",
        "SERVER_NAME": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
    }
    params = b"".join(_pair(name.encode(), value.encode()) for name, value in pairs.items())
    begin = b"\0\1" + bytes(6)  # role: responder; flags 0: close the connection afterwards
    return _record(BEGIN, begin) + _record(PARAMS, params) + _record(PARAMS, b"") + _record(STDIN, b"")


def _record(kind: int, content: bytes) -> bytes:
    if len(content) > 0xFFFF:
        raise ValueError("the path is too long for one FastCGI record")
    return bytes((1, kind, 0, 1)) + len(content).to_bytes(2, "big") + b"\0\0" + content


def _pair(name: bytes, value: bytes) -> bytes:
    return _length(name) + _length(value) + name + value


def _length(text: bytes) -> bytes:
    return bytes((len(text),)) if len(text) < 128 else (len(text) | 1 << 31).to_bytes(4, "big")


def _collect(wire: socket.socket, until: float) -> Answer:
    out: List[bytes] = []
    errors: List[bytes] = []
    size = 0
    for kind, content in _records(wire, until):
        if kind == END and content[4:5] != b"\0":
            return Answer(0, error=f"the service {ENDS.get(content[4:5], 'refused the request')}")
        if kind == STDERR:
            errors.append(content)
        elif kind == STDOUT:
            size += len(content)
            out.append(content)
        if kind == END or size > LARGEST_ANSWER:
            return _answer(b"".join(out), b"".join(errors))
    raise ValueError("closed the connection before the answer was complete")


def _records(wire: socket.socket, until: float) -> Iterator[Tuple[int, bytes]]:
    """(kind, content) of every record, until the service hangs up."""
    while True:
        head = _exactly(wire, 8, until)
        if not head:
            return
        if head[0] != 1:
            raise ValueError("what answers there does not speak FastCGI")
        length, padding = int.from_bytes(head[4:6], "big"), head[6]
        content = _exactly(wire, length + padding, until)
        yield head[1], content[:length]


def _exactly(wire: socket.socket, length: int, until: float) -> bytes:
    """``length`` bytes, or ``b""`` when the service hangs up within them."""
    parts: List[bytes] = []
    while length:
        left = until - monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        wire.settimeout(left)
        part = wire.recv(length)
        if not part:
            return b""
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _answer(out: bytes, errors: bytes) -> Answer:
    head, _, body = out.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    status = 200
    for line in head.splitlines():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"status":
            digits = value.split()[:1]
            status = int(digits[0]) if digits and digits[0].isdigit() else 0
    return Answer(status, body[:LARGEST_ANSWER], errors.decode("utf-8", "replace").strip())
