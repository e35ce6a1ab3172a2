"""Errors: a place, a hint, and one exit status a class."""

from __future__ import annotations

import errno
import os
import re

import pytest

from deploykit import errors
from deploykit.arguments import EPILOG
from deploykit.errors import DeploykitError, Failed, InvalidInput, Location, from_os

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DeploykitError)]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Location("a.j2"), "a.j2"),
        (Location("a.j2", 3), "a.j2:3"),
        (Location("a.j2", 3, 7), "a.j2:3:7"),
        (Location("a.j2", 0, 7), "a.j2:7"),
    ],
)
def test_a_place_is_written_as_far_as_it_is_known(place: Location, text: str) -> None:
    assert str(place) == text


def test_places_are_compared_by_what_they_say() -> None:
    assert Location("a", 1) == Location("a", 1)
    assert len({Location("a", 1), Location("a", 1), Location("a", 2)}) == 2
    assert Location("a", 1) != "a:1"


def test_an_error_begins_with_its_place() -> None:
    assert str(Failed("no such thing", at=Location("deploykit.yml", 4))) == "deploykit.yml:4: no such thing"
    assert str(Failed("no such thing")) == "no such thing"


def test_further_errors_of_the_same_read_are_kept() -> None:
    second = InvalidInput("two")
    assert InvalidInput("one", more=(second,)).more == (second,)


def test_the_help_names_every_exit_status() -> None:
    named = {int(number) for number in re.findall(r"(?:^|; ?|\n)\s*(\d+) ", EPILOG.partition(": ")[2].replace("\n", " ; "))}
    named |= {int(number) for number in re.findall(r"\b(\d+) [a-z]", EPILOG)}
    assert {kind.status for kind in CLASSES} <= named


def test_classes_that_mean_different_things_have_different_statuses() -> None:
    statuses = [kind.status for kind in CLASSES if kind is not DeploykitError]
    assert sorted(statuses) == sorted(set(statuses))


def test_what_the_system_refused_in_our_words() -> None:
    error = from_os(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/lib/x"))
    assert (error.message, error.status) == ("/var/lib/x: no space left on device", 1)
    assert "free some space" in error.hint


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOSPC])
def test_what_can_be_done_about_it_is_said(number: int) -> None:
    assert from_os(OSError(number, os.strerror(number))).hint


def test_an_error_without_a_number_still_says_something() -> None:
    assert from_os(OSError("Something Odd")).message == "something odd"
