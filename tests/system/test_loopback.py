"""The addresses of this machine, as its private network gets them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from deploykit.system import loopback
from deploykit.system.child import Channel, conduct
from deploykit.system.namespace import NEW_NETWORK, Kernel

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_the_addresses_are_the_kernel_s() -> None:
    found = loopback.look()
    table = Path("/proc/net/fib_trie").read_text()
    assert all(socket.inet_ntoa(address) in table for address in found.four)
    assert not any(address[0] == 127 for address in found.four)
    assert all(len(address) == 16 for address in found.six)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a network")
def test_a_private_network_has_the_given_addresses() -> None:
    four = (b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02")
    six = (socket.inet_pton(socket.AF_INET6, "2001:db8::7"),)

    def work(channel: Channel) -> None:
        kernel = Kernel()
        kernel.unshare(NEW_NETWORK)
        loopback.bring_up(loopback.Network(four, six, {}))
        for address in ("127.0.0.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::7", "2001:db8::8"):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family) as wire:
                try:
                    wire.bind((address, 80))
                except OSError:
                    continue
                channel.tell("bound", address)

    heard = conduct(work, 10, Kernel())
    assert [words[0] for words in heard.all("bound")][:3] == ["127.0.0.1", "192.0.2.1", "192.0.2.2"]
    assert [words[0] for words in heard.all("bound")][3:] == (["2001:db8::7"] if Path("/proc/net/if_inet6").exists() else [])
