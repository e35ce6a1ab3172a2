"""AfterBlockTraffic: steps only."""

from __future__ import annotations

from support.events import has_nothing_to_do_by_default, never_fails, runs_its_steps


def test_it_runs_the_steps_that_are_listed_for_it() -> None:
    runs_its_steps("AfterBlockTraffic")


def test_it_has_nothing_to_do_by_default() -> None:
    has_nothing_to_do_by_default("AfterBlockTraffic")


def test_never_fails() -> None:
    never_fails("AfterBlockTraffic")
