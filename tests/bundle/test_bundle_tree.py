"""The walk over a checkout: what travels, with which mode, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Set

import pytest

from deploykit.bundle import tree
from deploykit.bundle.ignore import ignored
from deploykit.bundle.tree import Tree


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "top"
    (folder / "app/sub").mkdir(parents=True)
    (folder / "app/a.php").write_text("a")
    (folder / "app/sub/run").write_text("#!/bin/sh\n")
    (folder / "app/sub/run").chmod(0o700)
    (folder / "appspec.yml").write_text("version: 0.0\n")
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "run":
            path.chmod(0o640)
    return folder


def walked(top: Path, lines: str = "", skip: Set[str] = frozenset()) -> Tree:  # type: ignore[assignment]
    return tree.walk(str(top), ignored(lines), set(skip), lambda _: None)


def rules(found: Tree) -> List[str]:
    return [finding.rule for finding in [*found.findings, *tree.modes(found)]]


def test_files_travel_sorted_with_one_of_two_modes(top: Path) -> None:
    found = walked(top)
    assert [(entry.path, entry.mode) for entry in found.entries] == [
        ("app/a.php", 0o644),
        ("app/sub/run", 0o755),
        ("appspec.yml", 0o644),
    ]
    assert found.entries[0].read() == b"a"
    assert rules(found) == []


def test_what_is_ignored_is_not_even_looked_into(top: Path) -> None:
    (top / "app/sub/link").symlink_to("nowhere")
    assert [entry.path for entry in walked(top, "/app/sub/").entries] == ["app/a.php", "appspec.yml"]


def test_the_zip_being_written_is_left_out(top: Path) -> None:
    (top / "app/new.zip").write_text("old")
    found = walked(top, skip={str(top / "app/new.zip")})
    assert "app/new.zip" not in [entry.path for entry in found.entries]


@pytest.mark.parametrize("target", ["a.php", "sub", "/etc/passwd", "nowhere"])
def test_symbolic_links_are_refused_and_not_followed(top: Path, target: str) -> None:
    (top / "app/link").symlink_to(target)
    found = walked(top)
    (finding,) = found.findings
    assert (finding.rule, finding.severity, str(finding.at)) == ("bundle-symlink", "error", "app/link")
    assert target in finding.message
    assert not [entry for entry in found.entries if entry.path.startswith("app/link")]


def test_pipes_are_refused(top: Path) -> None:
    os.mkfifo(top / "app/pipe")
    assert rules(walked(top)) == ["bundle-kind"]


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o646])
def test_modes_that_the_agent_may_refuse_are_refused(top: Path, mode: int) -> None:
    (top / "app/a.php").chmod(mode)
    found = walked(top)
    assert rules(found) == ["bundle-mode"]
    assert [f.severity for f in [*found.findings, *tree.modes(found)]] == ["error"]


def test_a_checkout_made_with_umask_0_is_no_reason_to_refuse(top: Path) -> None:
    for path in top.rglob("*"):
        path.chmod(path.stat().st_mode | 0o022)
    found = walked(top)
    (finding,) = tree.modes(found)
    assert (finding.severity, "3 files" in finding.message) == ("info", True)
    assert {entry.mode for entry in found.entries} == {0o644, 0o755}


@pytest.mark.parametrize("name", [b"a\nb", b"tab\there", b" a", b"a ", b"caf\xe9", b"back\\slash", b"sub \nx"])
def test_names_that_break_the_agents_list_are_refused(top: Path, name: bytes) -> None:
    (top / "app" / os.fsdecode(name)).write_text("x")
    found = walked(top)
    (finding,) = found.findings
    assert (finding.rule, finding.severity) == ("bundle-name", "error")
    assert str(finding.at).isprintable()
    assert finding.message.isprintable()


def test_a_folder_with_such_a_name_is_refused_by_its_files(top: Path) -> None:
    (top / "app/bad ").mkdir()
    (top / "app/bad /x").write_text("x")
    assert rules(walked(top)) == ["bundle-name"]


def test_other_than_ascii_is_a_warning(top: Path) -> None:
    (top / "app/café.php").write_text("x")
    (finding,) = tree.foreign_names(walked(top))
    assert (finding.severity, str(finding.at)) == ("warning", "app/café.php")
