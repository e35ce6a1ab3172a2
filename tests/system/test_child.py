"""A forked child that tells, asks, and ends."""

from __future__ import annotations

import os
import time

import pytest

from deploykit.system.child import Channel, conduct
from deploykit.system.namespace import Kernel

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_a_child_that_raises_never_returns_into_our_stack() -> None:
    ours = os.getpid()

    def work(channel: Channel) -> None:
        channel.tell("pid", os.getpid())
        raise SystemExit("out of here")

    heard = conduct(work, 10, Kernel())
    assert os.getpid() == ours
    assert heard.all("crash") == [("SystemExit: out of here",)]
    assert heard.all("pid") != [(ours,)]


def test_a_child_asks_and_hears_large_answers() -> None:
    def work(channel: Channel) -> None:
        channel.tell("sum", len(channel.ask("more", 300_000)))

    heard = conduct(work, 10, Kernel(), {"more": lambda size: b"x" * size})
    assert heard.all("sum") == [(300_000,)]


def test_a_child_that_is_late_is_ended() -> None:
    heard = conduct(lambda channel: time.sleep(60), 0.2, Kernel())
    assert heard.overdue


def test_a_child_that_ends_without_a_word_is_over() -> None:
    heard = conduct(lambda channel: os._exit(3), 10, Kernel())
    assert (heard.over, heard.overdue, heard.messages) == (True, False, [])


def test_a_child_has_none_of_our_files() -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)

    def work(channel: Channel) -> None:
        try:
            os.fstat(write_end)
        except OSError as why:
            channel.tell("closed", why.errno)

    heard = conduct(work, 10, Kernel())
    os.close(write_end)
    os.close(read_end)
    assert len(heard.all("closed")) == 1
