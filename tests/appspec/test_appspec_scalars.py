"""Plain texts and what Psych 4 makes of them, as measured with Ruby 3.1."""

from __future__ import annotations

import math

import pytest

from deploykit.appspec.ruby import RubyError, Value, inspect, strip, to_i, to_s
from deploykit.appspec.scalars import resolve
from deploykit.errors import Location

AT = Location("appspec.yml")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("", "nil", None),
        ("~", "nil", None),
        ("nuLL", "nil", None),
        ("nulls", "text", "nulls"),
        ("yes", "bool", True),
        ("tRue", "bool", True),
        ("ON", "bool", True),
        ("no", "bool", False),
        ("Off", "bool", False),
        ("y", "text", "y"),
        ("n", "text", "n"),
        ("n\non", "bool", True),
        ("010", "int", 8),
        ("-010", "int", -8),
        ("08", "text", "08"),
        ("0o17", "text", "0o17"),
        ("0x1F", "int", 31),
        ("-0x1F", "int", -31),
        ("0b101", "int", 5),
        ("0b102", "text", "0b102"),
        ("0_", "int", 0),
        ("0,", "int", 0),
        ("1_000", "int", 1000),
        ("1,000", "int", 1000),
        ("1__000", "text", "1__000"),
        ("+5", "int", 5),
        ("2:15", "int", 8100),
        ("2:15:10", "int", 8110),
        ("-1:30", "int", -1800),
        ("2:60", "text", "2:60"),
        ("1:30.5", "float", 5430.0),
        ("0.0e0", "text", "0.0e0"),
        ("1.5e+3", "float", 1500.0),
        ("1e3", "text", "1e3"),
        (".5", "float", 0.5),
        ("5.", "float", 5.0),
        (".", "text", "."),
        ("-.", "text", "-."),
        ("1_0.5", "float", 10.5),
        (".inf", "float", math.inf),
        ("-.INF", "float", -math.inf),
        (":x", "symbol", "x"),
        (':"x y"', "symbol", "x y"),
        (":", "text", ":"),
        ("2030-01-02", "date", "2030-01-02"),
        ("2030-1-2", "date", "2030-1-2"),
        ("2030-13-02", "text", "2030-13-02"),
        ("2030-01-02 10:00:00", "time", "2030-01-02 10:00:00"),
        ("2030-01-02T10:00:00.5Z", "time", "2030-01-02T10:00:00.5Z"),
        ("2030-01-02 10:00", "text", "2030-01-02 10:00"),
        ("-foo", "text", "-foo"),
    ],
)
def test_resolve(text: str, kind: str, value: object) -> None:
    assert resolve(text) == (kind, value)


def test_resolve_a_number_of_too_many_digits() -> None:
    assert resolve("9" * 5000) == ("int", 10**4999)


@pytest.mark.parametrize("text", ["0x_", "0b,", ".e+5"])
def test_texts_on_which_psych_fails(text: str) -> None:
    with pytest.raises(RubyError, match=r"invalid value for (Integer|Float)\(\)"):
        resolve(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1h", 1),
        (" 12x", 12),
        ("1_0", 10),
        ("1__2", 1),
        ("_1", 0),
        ("-5", -5),
        ("+ 5", 0),
        ("0x1A", 0),
        ("012", 12),
        ("h", 0),
        ("", 0),
    ],
)
def test_to_i(text: str, number: int) -> None:
    assert to_i(text) == number


def test_strip_takes_ascii_white_space_only() -> None:
    assert strip(" \t\n\u00a0x\v\0 ") == "\u00a0x"


@pytest.mark.parametrize(
    ("kind", "content", "inspected", "printed"),
    [
        ("nil", None, "nil", ""),
        ("bool", True, "true", "true"),
        ("float", 1e20, "1.0e+20", "1.0e+20"),
        ("float", 1e-5, "1.0e-05", "1.0e-05"),
        ("float", -0.0, "-0.0", "-0.0"),
        ("float", math.nan, "NaN", "NaN"),
        ("float", -math.inf, "-Infinity", "-Infinity"),
        ("text", 'a"\n#{x} # #y', '"a\\"\\n\\#{x} # #y"', 'a"\n#{x} # #y'),
        ("symbol", "x", ":x", "x"),
        ("symbol", "x y", ':"x y"', "x y"),
    ],
)
def test_ruby_notation(kind: str, content: object, inspected: str, printed: str) -> None:
    value = Value(kind, content, AT)
    assert (inspect(value), to_s(value)) == (inspected, printed)


def test_ruby_notation_of_lists_and_maps() -> None:
    one, key = Value("int", 1, AT), Value("text", "a", AT)
    listed = Value("list", (one, Value("nil", None, AT)), AT)
    assert inspect(Value("map", {key.identity: (key, listed)}, AT)) == '{"a"=>[1, nil]}'
