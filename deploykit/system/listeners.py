"""Who listens at a TCP address, from /proc."""

from __future__ import annotations

import os
import socket
from typing import Iterator, Optional, Set, Tuple

from deploykit.model import Running
from deploykit.system import processes

_LISTENING = "0A"
_ANY = ("", "0.0.0.0", "::")


def holder(address: str, port: int, besides: int) -> Optional[Running]:
    """The process that listens there, other than ``besides``. None when nobody does, or nobody whose files we may see."""
    inodes = {inode for where, inode in _listening(port) if _same(where, address)}
    if not inodes or (besides and inodes <= _sockets(besides)):
        return None
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != besides and inodes & _sockets(int(name)):
            return processes.running(int(name))
    return None


def _same(one: str, other: str) -> bool:
    return one == other or one in _ANY or other in _ANY


def _listening(port: int) -> Iterator[Tuple[str, str]]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = file.read().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            host, _, number = fields[1].partition(":")
            if fields[3] == _LISTENING and int(number, 16) == port:
                yield _address(host), fields[9]


def _address(text: str) -> str:
    """``0100007F`` is 127.0.0.1: words of 32 bits in the machine's order."""
    words = [bytes.fromhex(text[n : n + 8])[::-1] for n in range(0, len(text), 8)]
    raw = b"".join(words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _sockets(pid: int) -> Set[str]:
    found: Set[str] = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            link = os.readlink(f"/proc/{pid}/fd/{name}")
            if link.startswith("socket:["):
                found.add(link[8:-1])
    except OSError:
        return found
    return found
