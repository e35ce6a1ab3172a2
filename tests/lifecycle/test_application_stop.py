"""ApplicationStop: steps only."""

from __future__ import annotations

from support.events import has_nothing_to_do_by_default, never_fails, runs_its_steps


def test_it_runs_the_steps_that_are_listed_for_it() -> None:
    runs_its_steps("ApplicationStop")


def test_it_has_nothing_to_do_by_default() -> None:
    has_nothing_to_do_by_default("ApplicationStop")


def test_never_fails() -> None:
    never_fails("ApplicationStop")
