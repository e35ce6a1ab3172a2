"""ApplicationStart: what is down is started, what runs is left alone, and a reload that is owed is made good."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        assert made.run("run AfterInstall", "one").status == 0
        yield made


def start(site: Site) -> str:
    result = site.run("run ApplicationStart", "one")
    assert result.status == 0, result.output
    return result.output


def test_both_are_started_and_left_alone_afterwards(site: Site) -> None:
    assert "started php-fpm and nginx" in start(site)
    assert site.serves("one")
    before = site.generation()
    assert "both services run" in start(site)
    assert site.generation() == before


@pytest.mark.parametrize(("name", "other"), [("nginx", "fpm"), ("fpm", "nginx")])
def test_only_what_is_down_is_started(site: Site, name: str, other: str) -> None:
    start(site)
    running = site.master(other)
    site.kill(name)
    assert f"started {'php-fpm' if name == 'fpm' else name}\n" in start(site)
    assert site.master(other) == running
    assert site.serves("one")


def test_after_it_the_next_run_finds_everything_proved(site: Site) -> None:
    start(site)
    site.kill("nginx")
    start(site)
    assert "nothing changed since it was proved" in site.run("run AfterInstall", "one").output


def test_a_reload_that_is_owed_is_made_good(site: Site) -> None:
    start(site)
    conf = Path(site.root, "etc/nginx/conf.d/site.conf")
    conf.write_text(conf.read_text().replace("one", "edited"))
    assert site.ask("/").body == b"one"
    before = site.master("nginx")
    start(site)
    assert site.ask("/").body == b"edited"
    assert site.master("nginx") == before
    assert "not as deployed" in site.run("status", "one").output  # an edit is still no deployment


def test_one_that_does_not_start_is_told_with_its_own_words(site: Site) -> None:
    conf = Path(site.root, "etc/nginx/conf.d/site.conf")
    conf.write_text("no_such_directive on;\n")
    result = site.run("run ApplicationStart", "one")
    assert result.status == 1
    assert 'nginx does not start: [emerg] unknown directive "no_such_directive"' in result.output
    assert site.master("fpm")
    assert not site.master("nginx")


def test_steps_run_when_both_serve(site: Site) -> None:
    ask = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{site.port}/page.php').read()"
    step = f'[{{run: [{sys.executable}, -c, "{ask}"]}}, {{run: [sh, -c, "exit 5"]}}]'
    site.edit("one", "deploykit.yml", "version: 1\n", f"version: 1\nevents: {{ApplicationStart: {step}}}\n")
    result = site.run("run ApplicationStart", "one")
    assert (result.status, "sh -c exit 5 ended with status 5" in result.output) == (1, True), result.output
    assert "state: php-fpm and nginx started, and left running" in result.output
    assert site.serves("one")


def test_a_service_that_is_not_installed_is_told(site: Site) -> None:
    site.edit("one", "deploykit.yml", "services:\n", "services:\n  nginx: {binary: /no/such/nginx}\n")
    result = site.run("run ApplicationStart", "one")
    assert (result.status, "nginx is not installed" in result.output) == (69, True)


def test_a_dry_run_tells_what_it_would_start(site: Site) -> None:
    result = site.run("run ApplicationStart --dry-run --detailed-exitcode", "one")
    assert (result.status, "start php-fpm, start nginx" in result.output) == (2, True)
    assert not site.master("nginx")
    start(site)
    os.utime(f"{site.root}/etc/nginx/nginx.conf")
    result = site.run("run ApplicationStart --dry-run --detailed-exitcode", "one")
    assert (result.status, "reload nginx (owed from before)" in result.output) == (2, True)
