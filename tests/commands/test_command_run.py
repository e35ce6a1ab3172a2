"""``deploykit run EVENT``: how it ends, and that programs always get one document."""

from __future__ import annotations

import json
from typing import Any, Iterator

import pytest
from support.services import needs_services
from support.site import Result, Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture(scope="module")
def deployed() -> Iterator[Site]:
    """Revision one is live and runs; tests with this one change nothing."""
    with Site() as made:
        made.deploy("one")
        yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.deploy("one")
        yield made


def document(result: Result) -> Any:
    """What stdout holds, which must be one document and nothing else."""
    return json.loads(result.stdout)


def test_a_dry_run_that_would_change_something_says_so_only_when_asked(deployed: Site) -> None:
    assert deployed.run("run AfterInstall --dry-run", "two").status == 0
    assert deployed.run("run AfterInstall --dry-run --detailed-exitcode", "two").status == 2
    assert deployed.run("run AfterInstall --dry-run --detailed-exitcode", "one").status == 0
    assert deployed.run("run AfterInstall --detailed-exitcode", "one", "--var", "marker=one").status == 0  # no dry run


@pytest.mark.parametrize(
    ("event", "hint"),
    [(word, "did you mean AfterInstall?") for word in ("AfterInstal", "afterinstall", "after_install")]
    + [(word, "the events are BeforeBlockTraffic, ") for word in ("Nonsense", "")],
)
def test_an_unknown_event_is_a_mistake_and_the_nearest_is_named(deployed: Site, event: str, hint: str) -> None:
    result = deployed.run("run", "one", event)
    assert (result.status, result.stdout) == (64, "")
    assert hint in result.output


SITE = "config_templates/nginx/conf.d/site.conf.j2"
# what is wrong -> file, text in it, what stands there instead, exit status, a piece of what is said
WRONG = {
    "a key that is none": ("deploykit.yml", "secrets:", "secret:", 65, "deploykit.yml:7"),
    "an undefined variable": (SITE, "{{ marker }}", "{{ maker }}", 65, "site.conf.j2:4"),
    "a program that is not there": ("deploykit.yml", "services:", "services:\n  nginx: {binary: /no/such/nginx}", 69, "nginx"),
    "a path that leads out": ("deploykit.yml", "secrets:", "files: {nginx/nginx.conf: {to: nginx/../x}}\nsecrets:", 65, ".."),
    "a directive that is none": (SITE, "listen 127.0.0.1", "listens 127.0.0.1", 3, "site.conf.j2:2"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_every_failure_has_its_status_its_place_and_one_document(deployed: Site, wrong: str) -> None:
    name, before, after, status, words = WRONG[wrong]
    marker = f"-{list(WRONG).index(wrong)}"
    deployed.edit("one", name, before, after, marker=marker)
    people = deployed.run("run AfterInstall", "one", marker=marker)
    assert (people.status, words in people.output) == (status, True), people.output
    assert f"--- AfterInstall failed, exit status {status}" in people.output
    assert "state: nothing live was changed" in people.output
    programs = deployed.run("run AfterInstall --json", "one", marker=marker)
    body = document(programs)
    assert (programs.status, body["status"], body["event"]) == (status, status, "AfterInstall")
    at = body["at"] or {"file": "", "line": ""}
    assert words in f"{at['file']}:{at['line']}: {body['error']}"
    dry = deployed.run("run AfterInstall --dry-run --json", "one", marker=marker)
    assert status == 69 or document(dry)["status"] == dry.status == status  # a laptop may lack nginx


@pytest.mark.parametrize("word", ["marker", "=x", "9x=1", "a.b=1", "a b=1"])
def test_a_variable_is_name_and_value(deployed: Site, word: str) -> None:
    result = deployed.run("run AfterInstall --dry-run", "one", "--var", word)
    assert result.status == 64
    assert "write NAME=VALUE" in result.output


@pytest.mark.parametrize("event", ["ApplicationStart", "AfterInstall", "ValidateService", "ApplicationStop"])
def test_success_is_one_document_too(site: Site, event: str) -> None:
    body = document(site.run(f"run {event} --json", "one" if event == "ValidateService" else "two"))
    assert (body["event"], "summary" in body) == (event, True)
    assert (body["run"] is not None) == (event == "AfterInstall")


@pytest.mark.parametrize(("fault", "status"), [("alarm:25", 124), ("term:25", 130), ("bug:25", 70), ("eio:25", 1)])
def test_whatever_happens_in_the_middle_is_undone_and_told_in_one_document(site: Site, fault: str, status: int) -> None:
    before = site.files()
    result = site.run("run AfterInstall --json", "two", fault=fault)
    body = document(result)
    assert (result.status, body["status"]) == (status, status), result.output
    assert ("Traceback" in result.output) == (status == 70)
    assert "undone: " in result.output
    assert site.files() == before
    assert site.leftovers() == []
    assert site.serves("one")


def test_our_own_deadline_ends_a_run_that_hangs(site: Site) -> None:
    result = site.run("run AfterInstall --deadline 2.5", "two", fault="hang:25")
    assert result.status == 124
    assert "our own deadline" in result.output
    assert site.serves("one")


def test_a_step_that_fails_takes_the_configuration_back_too(site: Site) -> None:
    step = "{run: [sh, -c, 'echo because; exit 3']}"
    site.edit("two", "deploykit.yml", "version: 1\n", f"version: 1\nevents: {{AfterInstall: [{step}]}}\n")
    before = site.files()
    result = site.run("run AfterInstall", "two")
    assert result.status == 1
    assert "ended with status 3: because" in result.output
    assert "state: undone: 4 files as before" in result.output
    assert site.files() == before
    assert site.serves("one")


def test_steps_run_in_their_order_and_keep_the_next_run_from_ending_early(site: Site) -> None:
    steps = "[{run: [sh, -c, 'echo 1 >> ROOT/steps']}, {run: [sh, -c, 'echo 2 >> ROOT/steps']}]".replace("ROOT", site.root)
    site.edit("two", "deploykit.yml", "version: 1\n", f"version: 1\nevents: {{AfterInstall: {steps}}}\n")
    for _ in range(2):
        result = site.run("run AfterInstall", "two")
        assert result.status == 0, result.output
    with open(f"{site.root}/steps") as file:
        assert file.read() == "1\n2\n1\n2\n"
