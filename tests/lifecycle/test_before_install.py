"""BeforeInstall: everything that AfterInstall would refuse is refused while the previous application is still there."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]
APPSPEC = """\
version: 0.0
os: linux
files:
  - source: app
    destination: /var/www/html
file_exists_behavior: DISALLOW
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def test_a_fresh_machine_is_fit_and_nothing_changes(site: Site) -> None:
    before = site.files()
    result = site.run("run BeforeInstall", "one")
    assert result.status == 0, result.output
    assert "fit to deploy" in result.output
    assert "AfterInstall will change 5 files" in result.output
    assert site.files() == before


@pytest.mark.parametrize("revision", ["broken", "wrong socket"])
def test_what_the_judge_refuses_is_refused_here(site: Site, revision: str) -> None:
    site.deploy("one")
    result = site.run("run BeforeInstall", revision)
    assert result.status == 3
    assert "config_templates/nginx/conf.d/" in result.output
    assert site.serves("one")


def test_pages_are_not_asked_for_before_the_application_is_there(site: Site) -> None:
    Path(site.root, "var/www/html/page.php").unlink()
    assert site.run("run BeforeInstall", "one").status == 0
    assert site.run("run AfterInstall", "one").status == 3


def test_files_in_the_way_are_found_before_the_agent_deletes_anything(site: Site) -> None:
    bundle = Path(site.bundle("one"))
    (bundle / "app").mkdir()
    (bundle / "app/page.php").write_text("<?php", "utf-8")
    (bundle / "appspec.yml").write_text(APPSPEC, "utf-8")
    result = site.run("run BeforeInstall", "one")
    assert result.status == 3
    assert "var/www/html/page.php is in the way of files: in appspec.yml" in result.output
    assert "appspec.yml:4:" in result.output
    (bundle / "appspec.yml").write_text(APPSPEC.replace("DISALLOW", "OVERWRITE"), "utf-8")
    assert site.run("run BeforeInstall", "one").status == 0


def test_a_missing_program_is_told(site: Site) -> None:
    config = Path(site.bundle("one"), "deploykit.yml")
    config.write_text(
        config.read_text("utf-8").replace("services:\n", "services:\n  nginx: {binary: /no/such/nginx}\n"), "utf-8"
    )
    result = site.run("run BeforeInstall", "one")
    assert result.status == 69
    assert "nginx not installed on this machine" in result.output
