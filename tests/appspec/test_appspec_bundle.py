"""The rules that look at the bundle and at the machine's accounts, with real files."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional

import pytest

from deploykit.appspec.reader import judge
from deploykit.appspec.subject import BundleFiles

HOOK = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: {}\n      timeout: 60\n"
SHELLS: Dict[str, str] = {"root": "/bin/bash", "www-data": "/usr/sbin/nologin", "backup": "/bin/false", "deploy": "/bin/sh"}


def files_of(folder: Path, machine: bool = False) -> BundleFiles:
    def shell(name: str) -> Optional[str]:
        return SHELLS.get(name)

    return BundleFiles(
        exists=lambda path: (folder / path).exists(),
        read=lambda path: (folder / path).read_bytes(),
        shell=shell if machine else None,
    )


def rules(document: str, bundle: BundleFiles) -> List[str]:
    return [f"{one.rule}@{one.at}" for one in judge(document.encode(), bundle=bundle).findings]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"#!/bin/sh\nexit 0\n", ""),
        (b"#!/usr/bin/env python3\r\nprint()\r\n", "appspec-script-crlf"),
        (b"#!/bin/sh\necho\r\n", ""),
        (b"\xef\xbb\xbf#!/bin/sh\n", "appspec-script-bom"),
        (b"", "appspec-script-shebang"),
        (b"echo\n", "appspec-script-shebang"),
        (b"#/bin/bash\n", "appspec-script-shebang"),
        (b"\n#!/bin/sh\n", "appspec-script-shebang"),
        (b"\x7fELF\x02\x01", ""),
    ],
)
def test_the_first_line_of_a_script(tmp_path: Path, content: bytes, rule: str) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "a").write_bytes(content)
    expected = [f"{rule}@hooks/a:1:1"] if rule else []
    assert rules(HOOK.format("hooks/a"), files_of(tmp_path)) == expected
    assert rules(HOOK.format("./hooks//a"), files_of(tmp_path)) == expected


def test_a_script_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "hooks").mkdir()
    missing = ["appspec-script-missing@appspec.yml:5:17"]
    assert rules(HOOK.format("hooks/a"), files_of(tmp_path)) == missing
    assert rules(HOOK.format("hooks"), files_of(tmp_path)) == missing


def test_a_script_of_two_events_is_looked_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"echo\n")
    document = HOOK.format("a") + "  BeforeInstall:\n    - location: a\n      timeout: 60\n"
    assert rules(document, files_of(tmp_path)) == ["appspec-script-shebang@a:1:1"]


def test_a_location_outside_the_bundle_is_not_looked_at(tmp_path: Path) -> None:
    assert rules(HOOK.format("../a"), files_of(tmp_path)) == ["appspec-location-escapes@appspec.yml:5:17"]


@pytest.mark.parametrize(
    ("source", "rule"), [("app", ""), ("/app/", ""), ("ap", "missing"), ("ap*", "glob"), ("odd[1]", ""), ("/", "whole")]
)
def test_sources(tmp_path: Path, source: str, rule: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "odd[1]").mkdir()
    document = f"version: 0.0\nos: linux\nfiles:\n  - source: {source}\n    destination: /srv\n"
    assert rules(document, files_of(tmp_path)) == ([f"appspec-source-{rule}@appspec.yml:4:13"] if rule else [])


@pytest.mark.parametrize(
    ("user", "rule"),
    [
        ("root", ""),
        ("deploy", ""),
        ("www-data", "nologin"),
        ("backup", "nologin"),
        ("nobody2", "unknown"),
        ("nginx", "unknown"),
    ],
)
def test_accounts_of_the_machine(tmp_path: Path, user: str, rule: str) -> None:
    (tmp_path / "a").write_bytes(b"#!/bin/sh\n")
    document = HOOK.format("a") + f"      runas: {user}\n"
    assert rules(document, files_of(tmp_path, machine=True)) == ([f"appspec-runas-{rule}@appspec.yml:7:14"] if rule else [])
