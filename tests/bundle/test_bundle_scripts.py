"""appspec.yml and hooks, judged by what travels."""

from __future__ import annotations

from typing import Dict, List

import pytest

from deploykit.bundle import scripts
from deploykit.bundle.entry import Entry, made
from deploykit.errors import InvalidInput, Location

APPSPEC = """\
version: 0.0
os: linux
files:
  - source: app
    destination: /var/www/app
hooks:
  AfterInstall:
    - location: hooks/after_install
      timeout: 300
"""
HOOK = b"#!/bin/sh\nexit 0\n"


def entries(**files: bytes) -> Dict[str, Entry]:
    given = {"appspec.yml": APPSPEC.encode(), "hooks/after_install": HOOK, "app/x": b"", **files}
    return {path: made(path, content) for path, content in given.items()}


def errors(found: Dict[str, Entry]) -> List[str]:
    findings, called = scripts.judged(found)
    every = [*findings, *scripts.line_ends(found, called)]
    return [f"{one.at}: {one.rule}" for one in every if one.severity == "error"]


def test_a_good_one_has_no_errors_and_tells_its_scripts() -> None:
    assert errors(entries()) == []
    assert scripts.judged(entries())[1] == ("hooks/after_install",)


@pytest.mark.parametrize(
    ("hook", "rule"),
    [
        (b"#!/bin/sh\r\nexit 0\r\n", "hooks/after_install:1:1: appspec-script-crlf"),
        (b"#!/bin/sh\nexit 0\r\n", "hooks/after_install:2: bundle-crlf"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "hooks/after_install:1:1: appspec-script-bom"),
        (b"exit 0\n", "hooks/after_install:1:1: appspec-script-shebang"),
    ],
)
def test_a_hook_that_would_not_run_is_refused_at_its_line(hook: bytes, rule: str) -> None:
    assert errors(entries(**{"hooks/after_install": hook})) == [rule]


def test_a_script_that_others_source_is_looked_at_too() -> None:
    assert errors(entries(**{"hooks/_run.sh": b"true\r\n"})) == ["hooks/_run.sh:1: bundle-crlf"]


def test_what_is_left_out_is_missing() -> None:
    found = entries()
    del found["hooks/after_install"], found["app/x"]
    assert errors(found) == ["appspec.yml:4:13: appspec-source-missing", "appspec.yml:8:17: appspec-script-missing"]


def test_a_blank_in_the_name_is_refused() -> None:
    text = APPSPEC.replace("hooks/after_install", "hooks/after install").encode()
    found = errors(entries(**{"appspec.yml": text, "hooks/after install": HOOK}))
    assert found == ["appspec.yml:8:17: appspec-location-shell"]


def test_without_an_appspec_there_is_no_revision() -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        scripts.judged({})


def test_what_deploykit_itself_needs_must_be_there() -> None:
    found = {path: made(path, b"") for path in scripts.ESSENTIAL}
    assert [one.rule for one in scripts.missing(found, {})] == ["bundle-templates"]
    del found["run.py"]
    found["config_templates/nginx/x"] = made("config_templates/nginx/x", b"")
    assert [str(one.at) for one in scripts.missing(found, {})] == ["run.py"]
    at = Location("deploykit.yml", 9, 5)
    assert [str(one.at) for one in scripts.missing({**found, "run.py": made("run.py", b"")}, {"a.yml": at})] == [str(at)]
