"""The network of a trial: a loopback that carries every address of this machine.

Bare, a new network namespace refuses ``listen 10.0.0.5:80`` of a good candidate; with ``lo`` down it takes any address, also
one that this machine does not have. So ``lo`` is brought up and given the live addresses, by ioctl: ``ip`` may not be there.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import socket
import struct
import time
from typing import Dict, Tuple

GET_ADDRESSES, GET_FLAGS, SET_FLAGS, SET_ADDRESS, SET_NETMASK = 0x8912, 0x8913, 0x8914, 0x8916, 0x891C  # linux/sockios.h
UP = 1
USABLE_SECONDS = 0.2
REQUEST = 40  # sizeof(struct ifreq) on 64 bits
LINK_LOCAL = 0x20
SETTINGS = ("/proc/sys/net/ipv4/ip_nonlocal_bind", "/proc/sys/net/ipv6/ip_nonlocal_bind")


class Network:
    """What a private network copies of the live one: IPv4 and IPv6 addresses as bytes, and kernel settings by path."""

    def __init__(self, four: Tuple[bytes, ...], six: Tuple[bytes, ...], settings: Dict[str, str]) -> None:
        self.four = four
        self.six = six
        self.settings = settings


def look() -> Network:
    """The network that this process is in now. Link-local addresses and loopback's own are left out."""
    four = tuple(address for address in _four() if address[0] != 127)
    return Network(four, tuple(_six()), {path: _read(path).strip() for path in SETTINGS})


def bring_up(network: Network) -> None:
    """Bring ``lo`` up in this (new) network and put the addresses on it; one that is refused is left out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four:
        flags = struct.unpack_from("H", fcntl.ioctl(four, GET_FLAGS, _request(b"lo", b"")), 16)[0]
        fcntl.ioctl(four, SET_FLAGS, _request(b"lo", struct.pack("H", flags | UP)))
        for number, address in enumerate(network.four):
            label = b"lo:%d" % number
            _try(four, SET_ADDRESS, _request(label, _inet(address)))
            _try(four, SET_NETMASK, _request(label, _inet(b"\xff\xff\xff\xff")))
    _bring_up_six(network.six)
    for path, value in network.settings.items():
        if value not in ("", "0"):  # a machine that binds addresses it does not have (a floating one) does so in here too
            _write(path, value)


def _bring_up_six(addresses: Tuple[bytes, ...]) -> None:
    if not addresses:
        return
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
        index = socket.if_nametoindex("lo")
        for address in addresses:
            _try(six, SET_ADDRESS, address + struct.pack("Ii", 128, index))
    for address in addresses:
        _wait_until_usable(address)


def _wait_until_usable(address: bytes) -> None:
    """The kernel says yes at once, and lets a new IPv6 address be bound a moment later. One that it refused stays away."""
    until = time.monotonic() + USABLE_SECONDS
    while time.monotonic() < until:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as wire:
            try:
                wire.bind((socket.inet_ntop(socket.AF_INET6, address), 0))
            except OSError:
                time.sleep(0.001)
            else:
                return


def _four() -> Tuple[bytes, ...]:
    room = array.array("B", bytes(REQUEST * 1024))
    place, size = room.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        answer = fcntl.ioctl(probe, GET_ADDRESSES, struct.pack("iP", size, place))
    used = struct.unpack_from("i", answer)[0]
    raw = room.tobytes()
    return tuple(dict.fromkeys(raw[start + 20 : start + 24] for start in range(0, used, REQUEST)))


def _six() -> Tuple[bytes, ...]:
    lines = [line.split() for line in _read("/proc/net/if_inet6").splitlines()]
    return tuple(bytes.fromhex(line[0]) for line in lines if line[5] != "lo" and int(line[3], 16) != LINK_LOCAL)


def _request(name: bytes, rest: bytes) -> bytes:
    return struct.pack("16s", name) + rest.ljust(REQUEST - 16, b"\0")


def _inet(address: bytes) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, address)


def _try(wire: socket.socket, call: int, argument: bytes) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(wire, call, argument)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def _write(path: str, value: str) -> None:
    try:
        number = os.open(path, os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(number, value.encode())
    except OSError:
        pass
    finally:
        os.close(number)
