from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.parsers.ini_scanner import scan_line
from deploykit.parsers.ini_tokens import Statement, to_int, wrapped

PIECES = st.sampled_from(
    ["x", "yes", "E_ALL", " ", "\t", '"', "'", "\\", "$", "${A}", "${", "|", "~", "(", ")", "=", ";", "[", "]", "é"]
)
LINES = st.builds("".join, st.lists(PIECES, max_size=12))


def only(text: str) -> Statement:
    statements, refused = scan_line(text + "\n", {"A": "value"}.get)
    assert refused is None
    assert len(statements) == 1
    return statements[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a", "a"),
        ('"a"', "a"),
        ('""', ""),
        ("", ""),
        ("; comment", ""),
        ("a;b", "a"),
        ("YES", "1"),
        ("None", ""),
        ("no-one", "no-one"),
        ("E_ALL", "32767"),
        ("e_all", "e_all"),
        ("${A}", "value"),
        ("${ A }x", "valuex"),
        ("${B}", ""),
        ("'${A}'", "${A}"),
        ("~1", "-2"),
        ("!0", "1"),
        ("1|2&3^1", "2"),
        ("(1|2)", "3"),
        ("a'b'c", "abc"),
        ("$a", "$a"),
        ("a$;b", "a$;b"),
        (r'"\"\\\$\n"', r'"\$\n'),
        ("-1", "-1"),
        (r"C:\x", r"C:\x"),
    ],
)
def test_values(written: str, value: str) -> None:
    assert only(f"name = {written}").value == value


def test_a_statement_tells_what_stood_there() -> None:
    statement = only('\tenv["A B"] = x${NOPE}y ; why')
    assert statement == Statement("array", "env", "A B", "xy", "x${NOPE}y ; why", False, ("NOPE",), 2)


@pytest.mark.parametrize(
    ("written", "quoted"), [('"a"', True), ('"a" ; c', True), ('"a\\"b"', True), ('"a" "b"', False), ("a", False)]
)
def test_quoted_means_one_pair_around_all(written: str, quoted: bool) -> None:
    assert only(f"name = {written}").quoted is quoted


def test_a_nul_byte_cuts_a_line_with_its_end() -> None:
    assert scan_line("name = a ", {}.get) == ([Statement("entry", "name", "", "a ", "a", False, (), 1)], None)


@given(LINES)
def test_any_line_is_read_or_refused_at_a_place_in_it(line: str) -> None:
    statements, refused = scan_line(line + "\n", {}.get)
    assert all(1 <= statement.column <= len(line) for statement in statements)
    assert refused is None or 1 <= refused.column <= len(line) + 2


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(line: str) -> None:
    scan_line(line.replace("\n", "") + "\n", {}.get)


@given(st.from_regex(r"[A-Za-z_.]{1,12}", fullmatch=True), st.from_regex(r"[A-Za-z0-9_./:%-]{1,12}", fullmatch=True))
def test_the_short_way_and_the_long_way_agree(name: str, word: str) -> None:
    # A tab behind the value keeps the short way from matching.
    short, long = scan_line(f"{name} = {word}\n", {}.get), scan_line(f"{name} = {word}\t\n", {}.get)
    assert short[0] == long[0]
    assert (short[1] is None) == (long[1] is None)


@given(st.text(st.characters(blacklist_characters="\n\r\x00", blacklist_categories=("Cs",))))
def test_a_value_in_double_quotes_comes_back(value: str) -> None:
    written = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    assert only(f'name = "{written}"').value == value


@pytest.mark.parametrize("text", ["(" * 5000, "~" * 5000 + "1", "1|" * 5000, '"' * 5001])
def test_endless_expressions_are_refused(text: str) -> None:
    assert scan_line(f"x = {text}\n", {}.get)[1] is not None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12ab", 12),
        (" -7", -7),
        ("", 0),
        ("+3", 3),
        ("99999999999", 1215752191),
        ("9" * 5000, -1),
        ("-" + "9" * 5000, 0),
        ("0" * 50 + "8", 8),
    ],
)
def test_numbers_are_those_of_c(text: str, number: int) -> None:
    assert to_int(text) == number


def test_wrapping() -> None:
    assert [wrapped(2**31), wrapped(-(2**31) - 1), wrapped(5)] == [-(2**31), 2**31 - 1, 5]
