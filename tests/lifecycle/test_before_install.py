"""BeforeInstall refuses what would fail later, while the previous application is still there; it changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import Result, Site

pytestmark = [pytest.mark.services, needs_services()]
APPSPEC = "version: 0.0\nos: linux\nfiles:\n  - source: app\n    destination: /var/www/app\nfile_exists_behavior: DISALLOW\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def looked_at(site: Site, revision: str) -> Result:
    """The event; nothing below etc/ may change by it."""
    before = site.files()
    result = site.run("run BeforeInstall", revision)
    assert site.files() == before
    return result


def test_a_fresh_machine_is_fit_though_the_application_is_not_there_yet(site: Site) -> None:
    Path(site.root, "var/www/html/page.php").unlink()
    result = looked_at(site, "one")
    assert result.status == 0, result.output
    assert "AfterInstall will change 5 files" in result.output
    assert "fit to deploy; judge: started and asked in a private namespace" in result.output or os.geteuid()
    assert site.run("run AfterInstall", "one").status == 3  # by then its page must be there


@pytest.mark.parametrize(
    ("revision", "status", "words"), [("broken", 3, "broken.conf:1: unknown directive"), ("wrong socket", 3, "elsewhere.sock")]
)
def test_a_candidate_that_would_not_serve_is_refused(site: Site, revision: str, status: int, words: str) -> None:
    site.deploy("one")
    result = looked_at(site, revision)
    assert result.status == status, result.output
    assert words in result.output
    assert "state: nothing live was changed" in result.output
    assert site.serves("one")


def test_a_template_that_cannot_be_rendered_is_refused(site: Site) -> None:
    site.edit("one", "config_templates/nginx/conf.d/site.conf.j2", "{{ marker }}", "{{ maker }}")
    result = looked_at(site, "one")
    assert result.status == 65
    assert "site.conf.j2:4" in result.output


def test_a_step_that_makes_no_sense_is_refused(site: Site) -> None:
    site.edit("one", "deploykit.yml", "version: 1\n", "version: 1\nevents: {BeforeInstall: [{run: not a list}]}\n")
    assert looked_at(site, "one").status == 65


def test_a_file_in_the_way_of_the_application_is_refused_before_the_old_one_is_deleted(site: Site) -> None:
    bundle = Path(site.bundle("one"))
    (bundle / "appspec.yml").write_text(APPSPEC)
    (bundle / "app").mkdir()
    (bundle / "app/index.php").touch()
    assert looked_at(site, "one").status == 0
    Path(site.root, "var/www/app").mkdir()
    Path(site.root, "var/www/app/index.php").touch()
    result = looked_at(site, "one")
    assert result.status == 3
    assert f"{site.root}/var/www/app/index.php is in the way of files:" in result.output
    assert "appspec.yml:4:" in result.output
    (bundle / "appspec.yml").write_text(APPSPEC.replace("DISALLOW", "OVERWRITE"))
    assert looked_at(site, "one").status == 0


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_nearly_full_is_refused(site: Site) -> None:
    folder = f"{site.root}/var/log"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        result = looked_at(site, "one")
    finally:
        subprocess.run(["umount", folder], check=True)
    assert result.status == 3
    assert "too little to deploy safely" in result.output


def test_a_service_that_is_not_installed_is_refused_unless_its_steps_may_install_it(site: Site) -> None:
    site.edit("one", "deploykit.yml", "services:\n", "services:\n  nginx: {binary: /no/such/nginx}\n")
    result = looked_at(site, "one")
    assert (result.status, "nginx not installed" in result.output) == (69, True), result.output
    site.edit("one", "deploykit.yml", "version: 1\n", "version: 1\nevents: {BeforeInstall: [{run: [echo, installing]}]}\n")
    result = looked_at(site, "one")
    assert result.status == 0, result.output
    assert "nginx is not installed yet; AfterInstall needs it" in result.output
    assert "fit to deploy; 1 step done" in result.output


def test_steps_run_after_the_judgement_alone(site: Site) -> None:
    steps = f"events: {{BeforeInstall: [{{run: [touch, {site.root}/ran]}}]}}"
    for revision in ("broken", "one"):
        site.edit(revision, "deploykit.yml", "version: 1\n", f"version: 1\n{steps}\n")
    assert looked_at(site, "broken").status == 3
    assert not Path(site.root, "ran").exists()
    assert looked_at(site, "one").status == 0
    assert Path(site.root, "ran").exists()


def test_a_dry_run_is_one_document(site: Site) -> None:
    document = json.loads(site.run("run BeforeInstall --dry-run --json", "one").stdout)
    assert (document["event"], document["changes"], document["unchanged"]) == ("BeforeInstall", [], 0)
