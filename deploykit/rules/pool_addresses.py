"""Where pools listen and where nginx looks for them, in a form in which the two can be compared."""

from __future__ import annotations

import re
from typing import FrozenSet, Iterator, Mapping, NamedTuple, Optional, Tuple

from deploykit.parsers.php_fpm_tree import Entry, Pool, is_network

ALL = frozenset(("0.0.0.0", "::"))
LOOPBACK = frozenset(("127.0.0.1", "::1"))
# What a name stands for; "*" is resolved like localhost on Linux.
NAMES: Mapping[str, FrozenSet[str]] = {"localhost": LOOPBACK, "*": LOOPBACK, "::": ALL, "": frozenset()}


class Address(NamedTuple):
    """A unix socket (its path), or hosts with a port. hosts are addresses or names; both of ALL stand for every interface."""

    socket: str
    hosts: FrozenSet[str] = frozenset()
    port: int = 0

    def meets(self, other: Address) -> bool:
        """Is there a place that both stand for?"""
        if self.socket or other.socket:
            return self.socket == other.socket
        return self.port == other.port and _overlap(self.hosts, other.hosts)

    @property
    def here(self) -> bool:
        """Is it a place that only this machine can have: a unix socket, or its loopback?"""
        return bool(self.socket) or all(host.startswith("127.") or host in LOOPBACK for host in self.hosts)


def _overlap(some: FrozenSet[str], others: FrozenSet[str]) -> bool:
    return any(_covers(others, host) for host in some) or any(_covers(some, host) for host in others)


def _covers(hosts: FrozenSet[str], host: str) -> bool:
    return host in hosts or ("::" if ":" in host else "0.0.0.0") in hosts


def socket_path(path: str) -> str:
    """A path of a unix socket as it is compared: /var/run is /run wherever systemd is, and // is /."""
    plain = re.sub(r"/(?:\.?/)+", "/", path)
    return plain[len("/var") :] if plain.startswith("/var/run/") else plain


def host_and_port(text: str) -> Tuple[str, str]:
    """``127.0.0.1:9000``, ``[::1]:9000`` or ``9000`` cut in two; the host is ``""`` where there is none."""
    host, _, port = text.rpartition(":")
    return host.strip("[]").lower(), port


def network(text: str, bare: FrozenSet[str] = frozenset()) -> Optional[Address]:
    """An address on the network; ``bare`` are the hosts of a port alone. None where the port is none."""
    host, port = host_and_port(text)
    if not port.isascii() or not port.isdigit():
        return None
    hosts = bare if ":" not in text else NAMES.get(host, frozenset((host,)))
    return Address("", hosts, int(port)) if hosts else None


def listening(pool: Pool) -> Optional[Address]:
    """Where a pool listens; None where it does not say, or nothing that php-fpm understands."""
    if pool.socket:
        return Address(socket_path(pool.socket))
    return network(pool.listen, ALL)


def status_listening(pool: Pool) -> Optional[Address]:
    """Where a pool's status page listens on its own, if it does."""
    text = pool.text("pm.status_listen")
    if not text:
        return None
    return network(text, ALL) if is_network(text) else Address(socket_path(pool.path("pm.status_listen")))


def all_listening(pool: Pool) -> Iterator[Tuple[Entry, Address]]:
    """Both, each with the entry that says so."""
    for key, address in (("listen", listening(pool)), ("pm.status_listen", status_listening(pool))):
        entry = pool.entry(key)
        if entry and address and not entry.unset:
            yield entry, address
