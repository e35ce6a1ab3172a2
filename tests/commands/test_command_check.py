"""``deploykit check``: the candidate judged at its templates, for one environment or all."""

from __future__ import annotations

import json
import os
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def tree(site: Site) -> list[str]:
    return [os.path.join(folder, name) for folder, _, names in os.walk(site.root) for name in names]


def test_a_good_candidate_passes_and_nothing_is_changed(site: Site) -> None:
    before = tree(site)
    result = site.run("check", "one")
    assert result.status == 0, result.output
    assert "judge: started and asked in a private namespace" in result.output or os.geteuid()
    assert tree(site) == before


def test_a_broken_one_is_refused_at_its_line(site: Site) -> None:
    result = site.run("check --json", "broken")
    assert result.status == 3
    errors = [finding for finding in json.loads(result.stdout)["findings"] if finding["severity"] == "error"]
    assert ("config_templates/nginx/conf.d/broken.conf", 1) in [(finding["file"], finding["line"]) for finding in errors]
    assert "broken.conf:1: unknown directive" in result.output


def test_all_environments_are_judged_each_under_its_name(site: Site) -> None:
    site.edit(
        "two", "deploykit.yml", '  test: {groups: ["*-test"]}', '  test: {groups: [a]}\n  other: {variables: {port: "x y"}}'
    )
    result = site.run("check --all", "two")
    assert result.status == 3
    assert "\ntest: " in "\n" + result.output
    assert "\nother: " in "\n" + result.output


def test_without_environments_all_is_the_one_there_is(site: Site) -> None:
    site.edit("one", "deploykit.yml", 'environments:\n  test: {groups: ["*-test"]}\n', "", marker="bare")
    argv = [word for word in site.argv("check --all", "one", marker="bare") if word not in ("--env", "test")]
    result = site.call(argv)
    assert result.status == 0, result.output
    assert "judge: " in result.output
