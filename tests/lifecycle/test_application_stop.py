"""ApplicationStop runs from the previous revision: whatever is wrong there, the deployment goes on. No service is stopped."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Callable, Dict, Iterator

import pytest
from support.events import runs_its_steps
from support.services import needs_services
from support.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def bundle(site: Site, name: str) -> Path:
    return Path(site.bundle("one"), name)


def add(site: Site, text: str) -> None:
    site.edit("one", "deploykit.yml", "version: 1\n", f"version: 1\n{text}\n")


def journal(site: Site, content: str) -> None:
    home = Path(site.root, "var/lib/deploykit")
    home.mkdir(parents=True, exist_ok=True)
    (home / "journal").write_text(content)


WRONG: Dict[str, Callable[[Site], object]] = {
    "deploykit.yml is no YAML": lambda site: bundle(site, "deploykit.yml").write_text("a: [\n"),
    "deploykit.yml is gone": lambda site: bundle(site, "deploykit.yml").unlink(),
    "deploykit.yml is not UTF-8": lambda site: bundle(site, "deploykit.yml").write_bytes(b"\xff\xfe\x00"),
    "appspec.yml is nonsense": lambda site: bundle(site, "appspec.yml").write_bytes(b"\xff\x00: [\n"),
    "neither service is installed": lambda site: add(site, "x: 1"),
    "a step that is none": lambda site: add(site, "events: {ApplicationStop: [{nonsense: 1}]}"),
    "a step that fails": lambda site: add(site, "events: {ApplicationStop: [{run: [sh, -c, 'echo because; exit 7']}]}"),
    "a program that is not there": lambda site: add(site, "events: {ApplicationStop: [{run: [no-such-program]}]}"),
    "a journal that nobody can read": lambda site: journal(site, "nonsense\n"),
    "its own folder is a file": lambda site: (
        Path(site.root, "var/lib").mkdir(exist_ok=True),
        Path(site.root, "var/lib/deploykit").touch(),
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_it_never_fails(site: Site, wrong: str) -> None:
    WRONG[wrong](site)
    result = site.run("run ApplicationStop", "one")
    assert result.status == 0, result.output
    assert "Traceback" not in result.output
    if wrong != "appspec.yml is nonsense":  # that one is not even looked at closely
        assert "error: " in result.output
        assert "never fails a deployment" in result.output
    document = json.loads(site.run("run ApplicationStop --json", "one").stdout)
    assert document["event"] == "ApplicationStop"


@pytest.mark.parametrize("fault", ["bug:1", "term:1", "eio:1", "alarm:1"])
def test_not_even_when_a_mistake_is_our_own_or_time_is_up(site: Site, fault: str) -> None:
    add(site, "events: {ApplicationStop: [{run: [echo, hello]}]}")
    result = site.run("run ApplicationStop", "one", fault=fault)
    assert result.status == 0, result.output
    assert "error: " in result.output


def test_not_even_when_another_run_is_at_work(site: Site) -> None:
    home = Path(site.root, "var/lib/deploykit")
    home.mkdir(parents=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = site.run("run ApplicationStop --wait 0", "one")
    assert result.status == 0
    assert "another deploykit is at work" in result.output


def test_it_runs_the_steps_that_are_listed_for_it() -> None:
    runs_its_steps("ApplicationStop")


def test_steps_run_one_after_the_other_until_one_fails(site: Site) -> None:
    steps = ", ".join(f"{{run: [sh, -c, 'echo {n} >> {site.root}/steps; exit {n // 2}']}}" for n in (0, 1, 2, 3))
    add(site, f"events: {{ApplicationStop: [{steps}]}}")
    assert site.run("run ApplicationStop", "one").status == 0
    assert Path(site.root, "steps").read_text() == "0\n1\n2\n"


@pytest.mark.services
@needs_services()
def test_services_go_on(site: Site) -> None:
    site.deploy("one")
    before = site.generation()
    result = site.run("run ApplicationStop", "one")
    assert (result.status, result.output) == (0, "ApplicationStop (test): no steps, nothing to do\n")
    assert site.generation() == before
    assert os.path.exists(f"{site.root}/var/lib/deploykit/record.json")
