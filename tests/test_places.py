"""Where deploykit keeps its own files: everything below the prefix, nothing beside it."""

from __future__ import annotations

import inspect

import pytest

from deploykit import places

FUNCTIONS = [one for _, one in inspect.getmembers(places, inspect.isfunction)]


@pytest.mark.parametrize("place", FUNCTIONS, ids=lambda one: str(one.__name__))
@pytest.mark.parametrize("prefix", ["", "/tmp/root"])
def test_all_of_it_lies_below_the_two_folders(place: object, prefix: str) -> None:
    assert callable(place)
    given = [prefix, "20261124-181002"][: len(inspect.signature(place).parameters)]
    assert place(*given).startswith((prefix + places.FOLDER, prefix + places.LOGS))


def test_no_two_places_are_the_same() -> None:
    found = [one(*["", "run"][: len(inspect.signature(one).parameters)]) for one in FUNCTIONS]
    assert len(set(found)) == len(found)
