"""Signals and our own deadline end a run as exceptions, except while it holds them off."""

from __future__ import annotations

import os
import signal
import time
from typing import Optional

import pytest

from deploykit.errors import DeadlineExceeded, Interrupted
from deploykit.system.signals import Watch

STOPPING = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def arrive(*numbers: int, then: Optional[Exception] = None) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)
    time.sleep(0.2)
    if then:
        raise then


@pytest.mark.parametrize("number", STOPPING, ids=lambda number: str(number.name))
def test_a_signal_stops_the_run(number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match=f"stopped by {number.name}") as stopped, Watch(60.0):
        arrive(number)
    assert stopped.value.status == 130


@pytest.mark.parametrize("seconds", [0.05, 0.0, -1.0])
def test_our_own_deadline_stops_it(seconds: float) -> None:
    with pytest.raises(DeadlineExceeded, match="our own deadline") as exceeded, Watch(seconds):
        time.sleep(20)
    assert exceeded.value.status == 124
    assert "timeout:" in exceeded.value.hint


@pytest.mark.parametrize("number", [*STOPPING, signal.SIGALRM], ids=lambda number: str(number.name))
def test_an_ending_is_not_cut_short(number: signal.Signals) -> None:
    ended = []
    with Watch(60.0) as watch:
        with watch.hold():
            arrive(number)
            with watch.hold():
                arrive(number)
            arrive(number)
            ended.append(True)
        assert ended
        with pytest.raises((Interrupted, DeadlineExceeded)):
            arrive(number)


def test_what_came_meanwhile_is_raised_at_the_end_where_the_run_would_go_on() -> None:
    with Watch(60.0) as watch:
        with pytest.raises(Interrupted, match="SIGTERM"), watch.hold(then_raise=True):
            arrive(signal.SIGTERM, signal.SIGTERM)
        with pytest.raises(ZeroDivisionError), watch.hold(then_raise=True):
            arrive(signal.SIGTERM, then=ZeroDivisionError())


def test_after_an_error_within_a_hold_signals_count_again() -> None:
    with Watch(60.0) as watch:
        with pytest.raises(ZeroDivisionError), watch.hold():
            raise ZeroDivisionError
        with pytest.raises(Interrupted):
            arrive(signal.SIGTERM)


def test_handlers_and_timer_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (*STOPPING, signal.SIGALRM)]
    with Watch(60.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 1
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert [signal.getsignal(number) for number in (*STOPPING, signal.SIGALRM)] == before
