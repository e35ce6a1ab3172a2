from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.config.scalars import Trap, free_form, meaning
from deploykit.config.source import read_yaml
from deploykit.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("0", 0),
        ("42", 42),
        ("-7", -7),
        ("1.5", 1.5),
        ("10.0", 10.0),
        ("16m", "16m"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("2026-01-02", "2026-01-02"),
        ("1_000", "1_000"),
        ("none", "none"),
        ("y", "y"),
        ("1.2.3", "1.2.3"),
        ("10:75", "10:75"),
        ("-", "-"),
        (".", "."),
        ("0b2", "0b2"),
        ("123456789012", 123456789012),
    ],
)
def test_what_is_printed_as_it_was_written_keeps_its_meaning(text: str, value: object):
    assert (meaning(text), type(meaning(text))) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "taken_for", "hint"),
    [
        ("0660", "the number 432", 'write "0660" for the text'),
        ("089", "the number 89", 'write "089" for the text'),
        ("+5", "the number 5", 'write "+5" for the text'),
        ("1:30", "a number to the base 60", 'write "1:30" for the text'),
        ("8.10", "the number 8.1", 'write "8.10" for the text'),
        ("1e3", "the number 1000.0", 'write "1e3" for the text'),
        (".5", "the number 0.5", 'write ".5" for the text'),
        ("off", "false", 'write "off" for the text, false for a switch'),
        ("Yes", "true", 'write "Yes" for the text, true for a switch'),
        ("0x1F", "a number in another base", 'write "0x1F" for the text'),
        (".inf", "infinity or no number", 'write ".inf" for the text'),
        ("1" * 31, "a number of 31 digits", f'write "{"1" * 31}" for the text'),
    ],
)
def test_a_trap_says_how_to_write_it(text: str, taken_for: str, hint: str):
    trap = meaning(text)
    assert isinstance(trap, Trap)
    assert (trap.taken_for, trap.hint) == (taken_for, hint)
    assert free_form(read_yaml(f'"{text}"', "f")) == text


@given(st.text("0123456789.:-+exXoObBinfINFaA_", min_size=1))
def test_a_number_prints_as_it_was_written(text: str):
    value = meaning(text)
    assert isinstance(value, Trap) or str(value) == text


def test_free_form_data_reports_every_trap_at_its_place():
    text = "a: off\nb: [0660, {c: }]\nd: ~\ne: 'on'\nf: null\n"
    with pytest.raises(InvalidInput) as caught:
        free_form(read_yaml(text, "v.yml"))
    problems = (caught.value, *caught.value.more)
    assert [str(problem.at) for problem in problems] == ["v.yml:1:4", "v.yml:2:5", "v.yml:2:15", "v.yml:3:4", "v.yml:5:4"]
    assert problems[0].message == "expected a value, got unquoted off, which some readers take for false"
    assert [problem.hint for problem in problems[2:]] == ['write "" for an empty text, or remove the line'] * 3


def test_a_secret_is_not_shown_when_it_is_refused():
    with pytest.raises(InvalidInput) as caught:
        free_form(read_yaml("deep: [00815]", "v.yml"), secret=True)
    assert "815" not in str(caught.value) + caught.value.hint
    assert str(caught.value.at) == "v.yml:1:8"


def test_free_form_data_is_plain():
    text = "a: {b: [1, 2.5, true, x]}\nc: |\n  0660\nd: []\ne: {}\n"
    assert free_form(read_yaml(text, "f")) == {"a": {"b": [1, 2.5, True, "x"]}, "c": "0660\n", "d": [], "e": {}}
