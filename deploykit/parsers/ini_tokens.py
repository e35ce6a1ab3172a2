"""The words of PHP's ini files: what a line is cut into, and the numbers that C makes of it."""

from __future__ import annotations

import re
from typing import Callable, NamedTuple, Optional, Tuple

SECTION, ENTRY, ARRAY, BARE = "section", "entry", "array", "bare"
TRUE_WORDS = frozenset(("true", "on", "yes"))
WORDS = TRUE_WORDS | {"false", "off", "no", "none", "null"}

Variables = Callable[[str], Optional[str]]


class Statement(NamedTuple):
    """One thing that a line says.

    kind: ``section`` (name), ``entry`` (name, value), ``array`` (name, bracket, value) or ``bare`` (a name without ``=``).
    raw: everything behind ``=`` as it stands, comment included. quoted: the whole value is one pair of double quotes.
    unset: names in ``${...}`` that had no value. column counts characters from 1.
    """

    kind: str
    name: str
    bracket: str
    value: str
    raw: str
    quoted: bool
    unset: Tuple[str, ...]
    column: int


class RefusedError(Exception):
    """The line is refused from ``column`` on."""

    def __init__(self, column: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.message = message
        self.hint = hint


MAX_OPERANDS = 100
OPEN_QUOTE = "the double quote is not closed on this line"
QUOTE_IT = 'put the value in double quotes, with \\ before each " and \\'

LABEL_CHAR = r"[^=\n\r\t;&|^$~(){}!\"\[\x00]"
DOLLAR = r"\$\\[\s\S]|\$[^{\x00]"
LABEL = re.compile(LABEL_CHAR + "+")
ARRAY_START = re.compile(f"({LABEL_CHAR}+)" + r"\[[ \t]*")
WORD = re.compile(r"(?:true|on|yes|false|off|none|no|null)[ \t]*", re.IGNORECASE)
EQUALS = re.compile(r"[ \t]*=[ \t]*")
LINE_END = re.compile(r"[ \t]*(?:;[^\r\n]*)?(?:\r\n|\r|\n)")
BLANKS = re.compile(r"[ \t]+")
OPERATOR = re.compile(r"[&|^~()!][ \t]*")
RUN = re.compile(r"(?:[^$= \t\n\r;&|^~()!\"'\x00]|" + DOLLAR + ")+")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RAW = re.compile(r"'([^']+)'")
NAME_RUN = re.compile(r"(?:[^$\n\r;\"'\]\\]|\\[\s\S]|" + DOLLAR + ")+")
NAME_END = re.compile(r"[ \t]*\]")
SECTION_END = re.compile(r"\][ \t]*(?:\r\n|\r|\n)?")
QUOTE = re.compile(r"[ \t]*\"")
QUOTE_END = re.compile(r"\"[ \t]*")
# A backslash takes the next character with it, except before a quote that ends the line (for "C:\path\").
QUOTED_RUN = re.compile(r"(?:[^\"$\\]|\$(?!\{)|\\(?:(?!\"(?:[\r\n]|\Z))[\s\S]|(?=\"(?:[\r\n]|\Z))))+")
ONE_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"[ \t]*(?:;.*)?[\r\n]*\Z", re.DOTALL)
ESCAPE = re.compile(r"\\([\"$\\])")
PLAIN = re.compile(
    r"[ \t]*([A-Za-z_.]+)(?:\[([A-Za-z_][\w.]*)\])? *= *(?:([^\s$=;&|^~()!\"'\x00]+)|\"([^\"\\$\r\n\x00]*)\")"
    r"(?: *;[^\r\n]*)?\r?\n\Z"
)


def to_int(text: str) -> int:
    """C's atoi: leading digits as a signed number of 32 bits, 0 when there are none."""
    match = re.match(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]*)", text)
    sign, digits = match.groups() if match else ("", "")
    number = int(digits[:20] or "0") * (-1 if sign == "-" else 1)
    return wrapped(max(-(2**63), min(2**63 - 1, number)))


def wrapped(number: int) -> int:
    """A number as a C int holds it."""
    return (number + 2**31) % 2**32 - 2**31


def shown(text: str) -> str:
    """A character or word of a line, for a message."""
    return repr(text) if text.isprintable() else f"character {ord(text[0])}"
