"""Whoever only decides can look at everything and change nothing, whatever method is added to the machine."""

from __future__ import annotations

import pytest

from deploykit.system.port import Machine, Readable, Scratch
from deploykit.system.read_only import ReadOnlyMachine


def methods(*protocols: type) -> set[str]:
    return {name for protocol in protocols for name in vars(protocol) if not name.startswith("_")}


LOOKING = methods(Readable, Scratch)
CHANGING = methods(Machine) - LOOKING


class Everything:
    """A machine on which every call tells its own name."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: name


def read_only() -> ReadOnlyMachine:
    return ReadOnlyMachine(Everything())  # type: ignore[arg-type]


def test_the_widths_are_what_this_test_believes() -> None:
    assert {"find", "read", "ask", "request", "rehearse", "proved"} <= LOOKING
    assert {"allow", "write_new", "rename", "remove", "append", "command", "signal", "remember", "refresh_proof"} <= CHANGING


@pytest.mark.parametrize("name", sorted(LOOKING))
def test_looking_is_passed_on(name: str) -> None:
    assert getattr(read_only(), name)("x") == name


@pytest.mark.parametrize("name", [*sorted(CHANGING), "a_method_that_is_added_tomorrow", "_prefix"])
def test_changing_is_refused_before_it_is_called(name: str) -> None:
    with pytest.raises(PermissionError, match=name):
        getattr(read_only(), name)
