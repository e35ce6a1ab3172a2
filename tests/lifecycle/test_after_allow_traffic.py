"""AfterAllowTraffic: steps only."""

from __future__ import annotations

from support.events import fails_with_its_step, has_nothing_to_do_by_default, runs_its_steps


def test_it_runs_the_steps_that_are_listed_for_it() -> None:
    runs_its_steps("AfterAllowTraffic")


def test_it_has_nothing_to_do_by_default() -> None:
    has_nothing_to_do_by_default("AfterAllowTraffic")


def test_fails_with_its_step() -> None:
    fails_with_its_step("AfterAllowTraffic")
