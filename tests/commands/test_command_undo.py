"""``deploykit undo``: the configuration from before a run is live again, proved like any other."""

from __future__ import annotations

import json
from typing import Iterator, List

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.deploy("one")
        yield made


def history(site: Site) -> List[str]:
    return [run["run"] for run in json.loads(site.run("history --json", "one").stdout)]


def test_undo_brings_the_last_revision_back_and_undo_again_the_next_one(site: Site) -> None:
    one = site.files()
    site.deploy("two")
    two = site.files()
    for revision, files in (("one", one), ("two", two)):
        result = site.run("undo", revision)
        assert result.status == 0, result.output
        assert "reloaded and proved" in result.output
        assert {path: seen for path, seen in site.files().items() if seen[3] != "folder"} == {
            path: seen for path, seen in files.items() if seen[3] != "folder"
        }
        assert site.serves(revision)
        assert site.run("status", revision).status == 0
    assert len(history(site)) == 4


def test_undo_of_a_run_takes_back_all_that_came_after_it(site: Site) -> None:
    one = site.files()
    site.deploy("two")
    run = history(site)[0]
    site.deploy("two", marker="three")
    assert site.serves("three")
    result = site.run("undo --json", "one", run)
    assert (result.status, json.loads(result.stdout)["reloaded"]) == (0, ["nginx", "php-fpm"])
    assert site.serves("one")
    assert {path for path, seen in site.files().items() if seen[3] != "folder"} == {
        path for path, seen in one.items() if seen[3] != "folder"
    }


def test_a_dry_run_shows_it_and_changes_nothing(site: Site) -> None:
    site.deploy("two")
    before, runs = site.files(), history(site)
    people = site.run("undo --dry-run", "one")
    assert people.status == 0
    assert '+    location / { return 200 "one"; }' in people.output
    assert "reload nginx" in people.output
    document = json.loads(site.run("undo --dry-run --json", "one").stdout)
    assert document["reload"] == ["nginx", "php-fpm"]
    assert (site.files(), history(site)) == (before, runs)
    assert site.serves("two")


def test_the_first_deployment_cannot_be_undone_under_running_services(site: Site) -> None:
    before = site.files()
    result = site.run("undo", "one")
    assert result.status == 3
    assert "runs, and its main file" in result.output
    assert "stop the service first" in result.output
    assert site.files() == before
    assert site.serves("one")


def test_a_run_that_nobody_knows_is_a_mistake_and_the_known_ones_are_named(site: Site) -> None:
    result = site.run("undo --json", "one", "20200101-000000")
    assert (result.status, json.loads(result.stdout)["status"]) == (64, 64)
    assert history(site)[0] in result.output


def test_without_any_run_there_is_nothing_to_undo() -> None:
    with Site() as empty:
        result = empty.run("undo", "one")
        assert result.status == 64
        assert "no run to undo" in result.output


def test_a_run_that_was_cut_off_is_undone_first_and_told_in_one_document(site: Site) -> None:
    before = site.files()
    site.run("run AfterInstall", "two", fault="kill:25")
    result = site.run("undo --json", "one")
    assert result.status == 0
    assert json.loads(result.stdout)["summary"].startswith("undone: ")
    assert site.files() == before
    assert site.serves("one")
    assert site.leftovers() == []


def test_an_undo_that_fails_brings_back_what_it_found(site: Site) -> None:
    site.deploy("two")
    before = site.files()
    result = site.run("undo", "one", fault="term:20")
    assert result.status == 130
    assert site.files() == before
    assert site.serves("two")
