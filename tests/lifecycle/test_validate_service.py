"""ValidateService: the deployment counts only if services run, files are as deployed, and the probes are answered."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.deploy("one")
        yield made


def refused(site: Site, *words: str, revision: str = "one") -> None:
    before = site.generation()
    result = site.run("run ValidateService", revision)
    assert result.status == 1, result.output
    for word in words:
        assert word in result.output
    assert "--- ValidateService failed, exit status 1" in result.output
    assert site.generation() == before  # it mends nothing


def test_a_site_that_answers_counts(site: Site) -> None:
    result = site.run("run ValidateService", "one")
    assert (result.status, result.output) == (0, "ValidateService (test): 2 probes passed, files as recorded\n")
    assert json.loads(site.run("run ValidateService --json", "one").stdout)["summary"].startswith("2 probes")


@pytest.mark.parametrize(("name", "told"), [("fpm", "php-fpm not running"), ("nginx", "nginx not running")])
def test_a_service_that_died_is_noticed(site: Site, name: str, told: str) -> None:
    site.kill(name)
    refused(site, told, "ApplicationStart starts them")


def test_files_that_were_edited_by_hand_are_noticed(site: Site) -> None:
    files = sorted(Path(site.root, "etc").rglob("*.conf"))
    with open(files[0], "a") as file:
        file.write("# edited\n")
    refused(site, f"{files[0]} is not as it was deployed", "deploykit status")
    os.unlink(files[1])
    refused(site, "and 1 more is not as it was deployed")


def test_a_wrong_body_is_noticed(site: Site) -> None:
    Path(site.root, "var/www/html/page.php").write_text("<?php echo 'an error page';")
    refused(site, "answered 200 without 'php one'", "tries in")


def test_a_wrong_status_is_noticed(site: Site) -> None:
    Path(site.root, "var/www/html/page.php").unlink()
    refused(site, "404")


def test_its_steps_run_after_the_probes(site: Site) -> None:
    site.edit(
        "one",
        "deploykit.yml",
        "version: 1\n",
        f"version: 1\nevents: {{ValidateService: [{{run: [touch, {site.root}/ran]}}]}}\n",
    )
    Path(site.root, "var/www/html/page.php").rename(f"{site.root}/page.php")
    refused(site)
    assert not Path(site.root, "ran").exists()
    Path(site.root, "page.php").rename(f"{site.root}/var/www/html/page.php")
    assert site.run("run ValidateService", "one").status == 0
    assert Path(site.root, "ran").exists()
