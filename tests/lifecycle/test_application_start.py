"""ApplicationStart: what is down is started, what runs is left alone, what is owed is made good."""

from __future__ import annotations

import os
import signal
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


def test_what_runs_is_left_alone(site: Site) -> None:
    before = site.generation()
    result = site.run("run ApplicationStart", "one")
    assert (result.status, result.output) == (0, "ApplicationStart (test): both services run\n")
    assert site.generation() == before


def test_what_is_down_is_started_and_the_next_run_finds_all_proved(site: Site) -> None:
    nginx = site.master("nginx")
    assert nginx
    os.kill(nginx, signal.SIGQUIT)
    site.wait_until(lambda: site.master("nginx") is None)
    shown = site.run("run ApplicationStart --dry-run", "one")
    assert "start nginx" in shown.output
    assert site.master("nginx") is None
    assert "started nginx" in site.run("run ApplicationStart", "one").output
    assert site.serves("one")
    assert "nothing changed since it was proved" in site.run("run AfterInstall", "one").output


def test_a_service_that_cannot_start_fails_the_event_with_its_own_words(site: Site) -> None:
    for name in ("nginx", "fpm"):
        pid = site.master(name)
        assert pid
        os.kill(pid, signal.SIGQUIT)
    site.wait_until(lambda: site.master("nginx") is None and site.master("fpm") is None)
    with open(f"{site.root}/etc/nginx/conf.d/site.conf", "a", encoding="utf-8") as file:
        file.write("nonsense;\n")
    result = site.run("run ApplicationStart", "one")
    assert result.status == 1
    assert 'unknown directive "nonsense"' in result.output


def test_an_owed_reload_is_made_good(site: Site) -> None:
    os.utime(f"{site.root}/etc/nginx/conf.d/site.conf")
    before = site.generation()
    assert site.run("run ApplicationStart", "one").status == 0
    assert site.generation() != before
