"""What Psych 4 makes of a plain scalar: YAML 1.1 with Ruby's own opinions."""

from __future__ import annotations

import re
from typing import Callable, Tuple, Union

from deploykit.appspec.ruby import RubyError, to_i

Meaning = Tuple[str, Union[bool, int, float, str, None]]

# Ruby's ^ and $ are at line ends, its \d and \s know ASCII only.
_FLAGS = re.MULTILINE
_TEXT = re.compile(r"^[^0-9.:-]?(?:[^\W\d_]|[_ \t\r\n\f\v!@#$%^&*(){}<>|/\\~;=])+", _FLAGS)
_TIME = re.compile(
    r"^-?[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t\r\n\f\v]+)[0-9]{1,2}:[0-9][0-9]:[0-9][0-9](?:\.[0-9]*)?"
    r"(?:[ \t\r\n\f\v]*(?:Z|[-+][0-9]{1,2}:?(?:[0-9][0-9])?))?$",
    _FLAGS,
)
_DATE = re.compile(r"^[0-9]{4}-(?:1[012]|0[0-9]|[0-9])-(?:[12][0-9]|3[01]|0[0-9]|[0-9])$", _FLAGS)
_BASE_60 = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9]){1,2}$", _FLAGS)
_BASE_60_FRACTION = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9]){1,2}\.[0-9_]*$", _FLAGS)
_FLOAT = re.compile(r"^(?![-+]?\.$)[-+]?([0-9][0-9_,]*)?\.[0-9]*([eE][-+][0-9]+)?$", _FLAGS)
_INTEGER = re.compile(
    r"^(?:[-+]?0b[0-1_,]+|[-+]?0[0-7_,]+|[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)|[-+]?0x[0-9a-fA-F_,]+)$", _FLAGS
)
_WORDS = (
    (re.compile(r"^null$", _FLAGS | re.IGNORECASE), ("nil", None)),
    (re.compile(r"^(yes|true|on)$", _FLAGS | re.IGNORECASE), ("bool", True)),
    (re.compile(r"^(no|false|off)$", _FLAGS | re.IGNORECASE), ("bool", False)),
)
_SYMBOL = re.compile(r"""^:(["'])(.*)\1""", _FLAGS)


def resolve(text: str) -> Meaning:
    """Kind (``nil bool int float text symbol``, or ``date time``, which agent v1 refuses) and value of an unquoted text.

    Raises ``RubyError`` for the texts on which Psych itself fails, such as ``0x_``.
    """
    if not text:
        return "nil", None
    if _TEXT.match(text) or "\n" in text:
        return _word(text)
    return _number(text)


def _word(text: str) -> Meaning:
    if len(text) > 5 or re.search(r"^[^ytonf~]", text, _FLAGS | re.IGNORECASE):
        return "text", text
    if text == "~":
        return "nil", None
    for pattern, meaning in _WORDS:
        if pattern.search(text):
            return meaning[0], meaning[1]
    return "text", text


def _number(text: str) -> Meaning:
    if _TIME.search(text):
        return "time", text
    if _DATE.search(text):
        return "date", text
    special = _special(text)
    if special:
        return special
    for pattern, kind, number in _NUMBERS:
        if pattern.search(text):
            return kind, number(text)
    return "text", text


def _special(text: str) -> Union[Meaning, None]:
    lowered = text.lower()
    if lowered in (".inf", "+.inf"):
        return "float", float("inf")
    if lowered in ("-.inf", ".nan"):
        return "float", float(lowered.replace(".", ""))
    if not re.search(r"^:.", text, _FLAGS):
        return None
    quoted = _SYMBOL.search(text)
    return "symbol", re.sub(r"^:", "", quoted.group(2) if quoted else text, count=1)


def _base_60(text: str) -> int:
    # Psych takes the first part as hours even when there are only two: 2:15 is 2 h 15 min.
    return sum(to_i(part) * int(60 ** abs(place - 2)) for place, part in enumerate(text.split(":")))


def _base_60_fraction(text: str) -> float:
    return sum(_to_f(part) * 60.0 ** abs(place - 2) for place, part in enumerate(text.split(":")))


def _to_f(text: str) -> float:
    found = re.match(r"\s*[-+]?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?", text)
    return float(found.group().replace("_", "")) if found else 0.0


def _float(text: str) -> float:
    bare = re.sub(r"\.([Ee]|$)", r"\1", text.replace(",", "").replace("_", ""))
    try:
        return float(bare)
    except ValueError:
        raise RubyError(f'ArgumentError: invalid value for Float(): "{bare}"') from None


def _integer(text: str) -> int:
    bare = text.replace(",", "").replace("_", "")
    digits = bare.lstrip("+-")
    base = {"0b": 2, "0x": 16}.get(digits[:2].lower(), 8 if digits.startswith("0") else 10)
    if digits in ("0b", "0x"):
        raise RubyError(f'ArgumentError: invalid value for Integer(): "{bare}"')
    return -whole(digits, base) if bare.startswith("-") else whole(digits, base)


def whole(digits: str, base: int) -> int:
    """The number of these digits. Python refuses more than 4,300 decimal ones; then the right number of them must do."""
    if base == 10 and len(digits) > 4000:
        return int(10 ** (len(digits) - 1))
    return int(digits, base)


_NUMBERS: Tuple[Tuple[re.Pattern[str], str, Callable[[str], Union[int, float]]], ...] = (
    (_BASE_60, "int", _base_60),
    (_BASE_60_FRACTION, "float", _base_60_fraction),
    (_FLOAT, "float", _float),
    (_INTEGER, "int", _integer),
)
