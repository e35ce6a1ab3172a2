"""``listen``: the address that nginx binds for what is written."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from deploykit.parsers.nginx_tree import Directive

# Parameters that belong to the socket: they may be given once for an address.
VALUED = ("setfib", "fastopen", "backlog", "rcvbuf", "sndbuf", "accept_filter", "ipv6only", "so_keepalive")
SOCKET = (*VALUED, "deferred", "bind", "reuseport", "multipath")
PLAIN = ("default_server", "default", "ssl", "http2", "quic", "spdy", "proxy_protocol", "deferred", "bind", "reuseport")
_ANY = ("", "*", "0.0.0.0")


class Listen(NamedTuple):
    """host: ``*`` for all IPv4 addresses, IPv6 in brackets, ``unix:/path``; port as written, ``80`` if not given."""

    directive: Directive
    host: str
    port: str
    parameters: Tuple[str, ...]

    @property
    def address(self) -> str:
        """The same text for the same address. UDP (quic) is another one than TCP."""
        udp = "udp:" if "quic" in self.parameters else ""
        return udp + (self.host if self.host.startswith("unix:") else f"{self.host}:{self.port}")

    @property
    def tls(self) -> bool:
        return "ssl" in self.parameters or "quic" in self.parameters

    @property
    def default(self) -> bool:
        return "default_server" in self.parameters or "default" in self.parameters

    @property
    def socket_options(self) -> Tuple[str, ...]:
        return tuple(word for word in self.parameters if word.partition("=")[0] in SOCKET)


def listen_of(directive: Directive) -> Listen:
    """What a ``listen`` binds; any other directive stands for one that says nothing."""
    words = directive.args if directive.name == "listen" else ("80",)
    host, port = host_and_port(words[0])
    return Listen(directive, host, port, tuple(words[1:]))


def host_and_port(text: str) -> Tuple[str, str]:
    """``8080`` -> ``*``, ``8080``; ``[::1]`` -> ``[::1]``, ``80``; a unix socket has no port."""
    if text.startswith("unix:"):
        return text, ""
    if text.isdigit():
        return "*", text
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, "80"
    host = host.lower()
    return ("*" if host in _ANY else host), port.lstrip("0") if port.isdigit() else port
