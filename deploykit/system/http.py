"""One HTTP question to a service of this machine.

http.client, and ssl for https alone, are imported when the question is asked: most runs ask nothing.
"""

from __future__ import annotations

import socket
from time import monotonic
from typing import TYPE_CHECKING, Tuple

from deploykit.model import Answer, Probe

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

LARGEST_ANSWER = 1 << 20


def ask(probe: Probe) -> Answer:
    """Send the probe's request once; its ``timeout`` is for connecting, and again for the whole body.

    Redirects are answers, not followed. Certificates are not verified: the question is whether this machine serves,
    and it is asked under an address the certificate does not name. A ``host`` goes into the Host header and, for https,
    into the name that the TLS server sees. The body ends after 1 MiB. Status 0 with the reason in error when nothing,
    or no HTTP, came back; never raises for a service that does not answer.
    """
    from http.client import HTTPException

    try:
        connection, path = _connection(probe)
        try:
            connection.request(probe.method, path, headers=_headers(probe))
            return _read(connection.getresponse(), monotonic() + probe.timeout)
        finally:
            connection.close()
    except HTTPException as error:
        return Answer(0, error=f"no HTTP answer: {type(error).__name__} {error}".rstrip())
    except (OSError, ValueError, OverflowError) as error:
        return Answer(0, error=str(getattr(error, "strerror", None) or error))


def _headers(probe: Probe) -> dict[str, str]:
    headers = {"User-Agent": "deploykit", "Accept": "*/*", "Connection": "close"}
    if probe.host or probe.url.startswith("http://unix:"):
        headers["Host"] = probe.host or "localhost"
    return headers


def _read(response: HTTPResponse, until: float) -> Answer:
    body = b""
    while len(body) < LARGEST_ANSWER:
        part = response.read1(LARGEST_ANSWER - len(body))
        if not part:
            break
        body += part
        if monotonic() > until:
            return Answer(0, body, "the answer did not end in time")
    return Answer(response.status, body)


def _connection(probe: Probe) -> Tuple[HTTPConnection, str]:
    """(connection that is not yet open or already is, path with query)."""
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    if probe.url.startswith("http://unix:"):
        name, _, path = probe.url[len("http://unix:") :].partition(":")
        connection = HTTPConnection("localhost", timeout=probe.timeout)
        connection.sock = _unix(name, probe.timeout)
        return connection, path or "/"
    parts = urlsplit(probe.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{probe.url!r} is no http:// or https:// address")
    connection = HTTPConnection(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), timeout=probe.timeout)
    if parts.scheme == "https":
        connection.sock = _tls(parts.hostname, connection.port, probe)
    return connection, path


def _unix(name: str, seconds: float) -> socket.socket:
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        wire.settimeout(seconds)
        wire.connect(name)
    except BaseException:
        wire.close()
        raise
    return wire


def _tls(host: str, port: int, probe: Probe) -> socket.socket:
    import ssl

    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    wire = socket.create_connection((host, port), probe.timeout)
    try:
        return unverified.wrap_socket(wire, server_hostname=probe.host.partition(":")[0] or host)
    except BaseException:
        wire.close()
        raise
