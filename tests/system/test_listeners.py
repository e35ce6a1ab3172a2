"""Who listens at an address, told by the kernel's tables."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from typing import Iterator

import pytest

from deploykit.system.listeners import holder

LISTENING = """
import socket, sys
server = socket.create_server((sys.argv[1], 0), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def listening() -> Iterator[dict[str, tuple[int, int]]]:
    """Processes that listen: address -> (port, pid)."""
    found = {}
    processes = []
    for address in ("127.0.0.1", "0.0.0.0", "::1", "::"):
        if ":" in address and not _has_ipv6():
            continue
        argv = [sys.executable, "-c", LISTENING, address]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        found[address] = (int(process.stdout.readline()), process.pid)
    yield found
    for process in processes:
        process.communicate("")


def _has_ipv6() -> bool:
    try:
        with closing(socket.create_server(("::1", 0), family=socket.AF_INET6)):
            return True
    except OSError:
        return False


def held_by(address: str, port: int, besides: int = 0) -> int:
    found = holder(address, port, besides)
    return found.pid if found else 0


def test_the_process_is_found_at_its_address_and_at_all_of_them(listening: dict[str, tuple[int, int]]) -> None:
    for address, (port, pid) in listening.items():
        assert held_by(address, port) == pid
        assert held_by("", port) == pid


def test_one_that_listens_everywhere_holds_every_address(listening: dict[str, tuple[int, int]]) -> None:
    port, pid = listening["0.0.0.0"]
    assert held_by("127.0.0.1", port) == pid
    if "::" in listening:
        port, pid = listening["::"]
        assert held_by("127.0.0.1", port) == held_by("::1", port) == pid


def test_another_address_of_the_same_port_is_free(listening: dict[str, tuple[int, int]]) -> None:
    assert held_by("127.0.0.2", listening["127.0.0.1"][0]) == 0


def test_what_a_process_holds_itself_is_in_nobodys_way(listening: dict[str, tuple[int, int]]) -> None:
    port, pid = listening["127.0.0.1"]
    assert held_by("127.0.0.1", port, besides=pid) == 0
    assert held_by("127.0.0.1", port, besides=os.getpid()) == pid


def test_a_port_that_is_only_bound_or_connected_is_not_held(listening: dict[str, tuple[int, int]]) -> None:
    with socket.create_connection(("127.0.0.1", listening["127.0.0.1"][0])) as connected:
        assert held_by("127.0.0.1", connected.getsockname()[1]) == 0
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert held_by("127.0.0.1", bound.getsockname()[1]) == 0


def test_the_one_who_is_found_has_a_title(listening: dict[str, tuple[int, int]]) -> None:
    port, _ = listening["127.0.0.1"]
    found = holder("127.0.0.1", port, 0)
    assert found is not None
    assert "python" in found.title
