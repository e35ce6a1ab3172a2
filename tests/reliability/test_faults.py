"""A fault at every single call that changes the machine: afterwards all is old or all is new, and it is served.

The deployment changes both services, moves the FastCGI socket, adds a file with its folder and removes another.
"""

from __future__ import annotations

import re
from typing import Iterator, Mapping

import pytest
from support.services import needs_services
from support.site import Result, Site

pytestmark = [pytest.mark.services, pytest.mark.faults, needs_services()]

SLICES = 4  # so that several processes share the work


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.deploy("two")
        made.deploy("one")
        yield made


def boundaries(site: Site) -> int:
    """How many calls a whole deployment makes; the site is back on revision one afterwards."""
    found = re.search(r"boundaries (\d+)", site.run("run AfterInstall", "two", fault="count").output)
    assert found
    site.deploy("one")
    return int(found[1])


def is_whole(site: Site, old: Mapping[str, object], new: Mapping[str, object]) -> str:
    """``one`` or ``two``: which revision is live and served, as a whole."""
    files = site.files()
    assert files in (old, new), set(files.items()) ^ set(old.items())
    revision = "one" if files == old else "two"
    assert site.serves(revision)
    return revision


def both(site: Site) -> tuple[Mapping[str, object], Mapping[str, object]]:
    old = site.files()
    site.deploy("two")
    new = site.files()
    site.deploy("one")
    assert site.files() == old != new
    return old, new


@pytest.mark.parametrize("part", range(SLICES))
def test_killed_at_every_boundary(site: Site, part: int) -> None:
    old, new = both(site)
    for number in range(1 + part, boundaries(site) + 1, SLICES):
        assert site.run("run AfterInstall", "two", fault=f"kill:{number}").status == -9
        assert (site.ask("/").status, site.ask("/page.php").status) == (200, 200), f"not serving after a kill at {number}"
        repaired = site.run("undo", "one") if number % 2 else site.run("run AfterInstall", "two")
        if number % 2 == 0:
            assert (repaired.status, is_whole(site, old, new)) == (0, "two"), f"kill at {number}: {repaired.output}"
        assert is_whole(site, old, new), f"kill at {number}: {repaired.output}"
        assert site.leftovers() == [], f"kill at {number}"
        site.deploy("one")


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("kind", ["term", "enospc", "erofs"])
def test_failing_at_every_boundary(site: Site, kind: str, part: int) -> None:
    old, new = both(site)
    for number in range(1 + part, boundaries(site) + 1, SLICES):
        failed = site.run("run AfterInstall", "two", fault=f"{kind}:{number}")
        assert sensible(failed, kind), f"{kind} at {number}: {failed.output}"
        if "not tidied up" in failed.output:  # it is proved and live; the next run, even one that changes nothing, tidies up
            assert site.run("run AfterInstall", "two").status == 0
        assert is_whole(site, old, new) == ("two" if failed.status == 0 else "one"), f"{kind} at {number}: {failed.output}"
        assert site.leftovers() == [], f"{kind} at {number}: {failed.output}"
        site.deploy("one")
        assert site.leftovers() == []


def sensible(result: Result, kind: str) -> bool:
    """Failed in the way that belongs to the fault, or ended well since the fault came after the proof."""
    wanted = 130 if kind == "term" else 1
    return result.status in (0, wanted) and "Traceback" not in result.output
