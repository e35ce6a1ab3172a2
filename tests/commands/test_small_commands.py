"""``deploykit doctor``, ``docs`` and ``version``."""

from __future__ import annotations

import json
import os
import platform
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import TOP, Site

from deploykit import __version__


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def test_version_names_what_a_report_needs(site: Site) -> None:
    people, programs = site.run("version", "one"), site.run("version --json", "one")
    assert (people.status, programs.status) == (0, 0)
    body = json.loads(programs.stdout)
    assert (body["deploykit"], body["python"]) == (__version__, platform.python_version())
    assert {"jinja2", "pyyaml", "psutil", "sh", "crossplane"} <= set(body)
    assert "missing" not in body.values()
    assert f"deploykit {__version__}\n" in people.stdout


def test_docs_prints_the_annotated_example_whole_or_in_part(site: Site) -> None:
    example = (TOP / "deploykit.yml").read_text(encoding="utf-8")
    assert site.run("docs", "one").stdout == example
    part = site.run("docs", "one", "probes").stdout
    assert "\nprobes:\n" in part
    assert part in example
    assert json.loads(site.run("docs --json", "one", "probes").stdout) == {"text": part}


def test_a_section_that_is_none_is_a_mistake_and_the_nearest_is_named(site: Site) -> None:
    result = site.run("docs --json", "one", "probe")
    assert (result.status, json.loads(result.stdout)["status"]) == (64, 64)
    assert "probes" in result.output


@pytest.mark.services
@needs_services()
def test_doctor_finds_a_machine_fit_and_says_what_is_not(site: Site) -> None:
    result = site.run("doctor", "one")
    assert result.status == 0, result.output
    assert "ok    deploykit.yml, environment test, 5 templates" in result.output
    assert "does not run -> ApplicationStart starts it" in result.output
    assert ("ok    root" in result.output) == (os.geteuid() == 0)


def test_doctor_names_what_is_wrong_and_what_to_do(site: Site) -> None:
    site.edit("two", "deploykit.yml", "secrets:", "secret:")
    result = site.run("doctor --json", "two")
    assert result.status == 1
    (wrong,) = [line for line in json.loads(result.stdout) if line["level"] == "wrong"]
    assert wrong["what"].startswith("deploykit.yml:")
    assert "secrets" in wrong["fix"] + wrong["what"]
