"""What can be typed, and what of it is a mistake."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.arguments import parse

Capture = pytest.CaptureFixture[str]


def parsed(*words: str) -> argparse.Namespace:
    found = parse(words)
    assert isinstance(found, argparse.Namespace)
    return found


def variables(*words: str) -> Any:
    return parsed("run", "AfterInstall", *(part for word in words for part in ("--var", word))).var


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a=1", 1),
        ("a=0", 0),
        ("a=080", "080"),
        ("a=-1", "-1"),
        ("a=1.5", "1.5"),
        ("a=\u00b2", "\u00b2"),
        ("a=\u0663", "\u0663"),
        ("a=true", True),
        ("a=false", False),
        ("a=True", "True"),
        ("a=off", "off"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a= b ", " b "),
        ("a={{ x }}", "{{ x }}"),
    ],
)
def test_a_variable_is_a_number_a_switch_or_text(word: str, value: object) -> None:
    assert variables(word) == {"a": value}
    assert type(variables(word)["a"]) is type(value)


@given(st.text())
def test_every_value_is_taken(value: str) -> None:
    assert str(variables(f"a={value}")["a"]).lower() == value.lower()


def test_the_last_one_counts() -> None:
    assert variables("a=1", "b=2", "a=3") == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "invalid choice"),
        (["run", "AfterInstal"], "did you mean AfterInstall?"),
        (["run", "Nonsense"], "the events are BeforeBlockTraffic"),
        (["run", "AfterInstall", "--dry"], "unrecognized arguments: --dry"),
        (["status", "--roo", "/x"], "unrecognized arguments: --roo"),
        (["run", "AfterInstall", "--var", "nothing"], "write NAME=VALUE"),
        (["run", "AfterInstall", "--deadline", "soon"], "not a number of seconds"),
        (["run", "AfterInstall", "--deadline", "nan"], "not a number of seconds"),
        (["run", "AfterInstall", "--deadline=-5"], "not a number of seconds"),
        (["run", "AfterInstall", "--wait", "inf"], "not a number of seconds"),
        (["run", "AfterInstall", "--fail-at", "nowhere"], "cannot be made to fail"),
        (["undo", "one", "two"], "unrecognized arguments: two"),
    ],
)
def test_a_mistake_is_64_and_said_on_stderr(words: list[str], said: str, capsys: Capture) -> None:
    assert parse(words) == 64
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True), err
    assert err.startswith("usage: ")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["run", "--help"], ["undo", "-h"]])
def test_help_is_no_mistake_and_names_the_exit_statuses(words: list[str], capsys: Capture) -> None:
    assert parse(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "exit statuses: 0 ok; 1 failed and undone" in " ".join(out.split())


def test_version(capsys: Capture) -> None:
    assert parse(["--version"]) == 0
    assert capsys.readouterr().out.startswith("deploykit 0.")


def test_seconds_and_defaults() -> None:
    assert (parsed("run", "AfterInstall").deadline, parsed("run", "AfterInstall").wait) == (0.0, 30.0)
    assert parsed("run", "AfterInstall", "--deadline", "90", "--wait", "0").deadline == 90.0
    assert parsed("undo").target == ""
