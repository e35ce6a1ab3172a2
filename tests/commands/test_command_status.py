"""``deploykit status`` and ``history``: what is live, whether it is as deployed, and how it came there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def status(site: Site) -> Any:
    return json.loads(site.run("status --json", "one").stdout)


def test_from_nothing_to_deployed_to_edited_by_hand(site: Site) -> None:
    assert status(site) == {
        "environment": None,
        "last run": None,
        "cut off": None,
        "to be tidied up": None,
        "services": {"nginx": "not running", "php-fpm": "not running"},
        "files": 0,
        "different": {},
        "ok": True,
    }
    assert "nothing was changed" in site.run("history", "one").output
    site.deploy("one")
    body = status(site)
    assert (body["ok"], body["files"], body["environment"]) == (True, 5, "test")
    assert body["services"] == {"nginx": "runs", "php-fpm": "runs"}
    (run,) = json.loads(site.run("history --json", "one").stdout)
    assert (run["run"], run["event"], run["end"], run["files"]) == (body["last run"], "AfterInstall", "done", 5)

    edited, gone, link = sorted(path for path, seen in site.files().items() if seen[3] != "folder")[:3]
    Path(edited).write_text("edited")
    os.unlink(gone)
    os.unlink(link)
    os.symlink("/dev/null", link)
    result = site.run("status", "one")
    assert result.status == 1
    for line in (f"edited: {edited}", f"gone: {gone}", f"is a symlink: {link}", "not as deployed"):
        assert line in result.output
    assert "a reload is owed" in result.output
    assert status(site)["different"] == {edited: "edited", gone: "gone", link: "is a symlink"}


def test_a_run_that_was_cut_off_is_told(site: Site) -> None:
    site.deploy("one")
    site.run("run AfterInstall", "two", fault="kill:25")
    result = site.run("status", "one")
    assert result.status == 1
    assert "was cut off: the next run, or 'deploykit undo', brings everything back" in result.output
    assert "an earlier run was cut off" in site.run("run AfterInstall --dry-run", "two").output
    assert site.run("undo", "one").status == 0
    assert site.run("status", "one").status == 0


def test_undone_runs_are_in_the_history_too(site: Site) -> None:
    site.deploy("one")
    site.run("run AfterInstall", "two", fault="term:25")
    ends = [run["end"] for run in json.loads(site.run("history --json", "one").stdout)]
    assert ends == ["undone", "done"]
    assert "undone" in site.run("history", "one").output.splitlines()[0]
