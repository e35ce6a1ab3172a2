"""ValidateService: running, as deployed, and answering what the probes expect."""

from __future__ import annotations

import os
import signal
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


def test_a_site_that_answers_passes(site: Site) -> None:
    result = site.run("run ValidateService", "one")
    assert (result.status, result.output) == (0, "ValidateService (test): 2 probes passed, files as recorded\n")


def test_a_file_that_was_edited_since_fails(site: Site) -> None:
    with open(f"{site.root}/etc/nginx/conf.d/site.conf", "a", encoding="utf-8") as file:
        file.write("# by hand\n")
    result = site.run("run ValidateService", "one")
    assert result.status == 1
    assert "etc/nginx/conf.d/site.conf is not as it was deployed" in result.output


def test_a_dead_php_fpm_fails(site: Site) -> None:
    pid = site.master("fpm")
    assert pid
    os.kill(pid, signal.SIGQUIT)
    site.wait_until(lambda: site.master("fpm") is None)
    result = site.run("run ValidateService", "one")
    assert (result.status, "php-fpm not running" in result.output) == (1, True)


def test_status_200_with_the_wrong_body_fails_and_says_how_often_it_asked(site: Site) -> None:
    Path(site.root, "var/www/html/page.php").write_text("<?php echo 'something else';", "utf-8")
    result = site.run("run ValidateService", "one")
    assert result.status == 1
    assert "answered 200 without 'php one'" in result.output
    assert "tries in" in result.output
