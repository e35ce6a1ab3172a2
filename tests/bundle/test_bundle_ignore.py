"""What stays at home."""

from __future__ import annotations

import pytest

from deploykit.bundle.ignore import Patterns, ignored
from deploykit.errors import InvalidInput


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (".git", True),
        ("app/vendor/x/.git", True),
        ("deploykit/__pycache__", True),
        ("app/old.pyc", False),
        ("app/.DS_Store", False),
        ("node_modules/.bin", True),
        ("app/node_modules/.bin", True),
        (".venv", True),
        (".venv-3.9", True),
        (".mypy_cache", True),
        ("tests", True),
        ("older.zip", False),
        ("MANIFEST.sha256", False),
        ("sbom.cdx.json", False),
        (".deployignore", False),
    ],
)
def test_what_nobody_wants_on_an_instance_stays(path: str, folder: bool) -> None:
    assert ignored("").match(path, folder)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("app/tests", True),
        ("app/public/download.zip", False),
        ("app/build", True),
        ("dist", True),
        ("vendor", True),
        ("app/.env", False),
        ("app/node_modules", True),
        ("appspec.yml", False),
        (".well-known", True),
    ],
)
def test_what_may_be_needed_travels(path: str, folder: bool) -> None:
    assert not ignored("").match(path, folder)


def test_the_syntax_is_that_of_gitignore() -> None:
    patterns = ignored("# a comment\n\n/docs/\n*.log\n!keep.log\nassets/**/source\n\\#odd\nspace\\ \n")
    for path, folder in (("docs", True), ("app/a.log", False), ("assets/a/b/source", True), ("#odd", False), ("space ", False)):
        assert patterns.match(path, folder), path
    for path, folder in (("docs", False), ("app/docs", True), ("app/keep.log", False), ("a comment", False)):
        assert not patterns.match(path, folder), path


def test_a_line_brings_back_what_the_defaults_leave_out() -> None:
    assert not ignored("!/tests/\n").match("tests", True)
    assert not ignored("!/needed.zip\n").match("needed.zip")


def test_the_content_of_a_folder_can_be_left_out_but_for_one_file() -> None:
    patterns = ignored("/app/var/*\n!/app/var/keep\n")
    assert not patterns.match("app/var", True)
    assert patterns.match("app/var/log")
    assert not patterns.match("app/var/keep")


def test_a_line_that_is_no_pattern_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        ignored("docs/\n!\n")
    assert str(caught.value).startswith(".deployignore:2: ")


def test_a_pattern_on_the_command_line_that_is_none_is_named() -> None:
    with pytest.raises(InvalidInput, match="no pattern"):
        Patterns(["!"], "--allow")
