"""What filters are given: text, whole numbers, sizes, and how they say no."""

from __future__ import annotations

import re
from typing import Tuple

_SIZE = re.compile(r"(\d+)\s*([kmg]?)(?:i?b)?", re.IGNORECASE | re.ASCII)

_WORDS = {
    "yes": True,
    "on": True,
    "true": True,
    "1": True,
    "no": False,
    "off": False,
    "false": False,
    "0": False,
}


class FilterError(Exception):
    """A filter, test or function refuses its input; becomes ``InvalidInput`` at the template's line.

    The message never holds the value where that could be a secret.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def kind_of(value: object) -> str:
    """What a user would call this value: ``null``, ``true``, ``a list``, ``a map`` ..."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {float: "a fraction", list: "a list", tuple: "a list", dict: "a map", str: "a text", int: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def text_of(value: object, asker: str) -> str:
    """The text of a str or int; everything else is refused in the name of ``asker`` (a filter)."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    defined(value)
    raise FilterError(f"{asker} takes a text or a whole number, not {kind_of(value)}", "quote the value in deploykit.yml")


def defined(value: object) -> None:
    """Raise jinja2's own error for an undefined value (it does so itself as soon as it is turned into a string)."""
    str(value)


def truth_of(value: object, asker: str) -> bool:
    """A bool, or one of the words yes no on off true false 1 0 in any case; nothing else is guessed at."""
    if isinstance(value, bool):
        return value
    word = text_of(value, asker).lower()
    if word not in _WORDS:
        raise FilterError(f"{asker} takes true or false (or yes, no, on, off, 1, 0)", "anything else would be a guess")
    return _WORDS[word]


def size_of(value: object, asker: str) -> Tuple[int, str]:
    """A size as (number, unit), the unit one of ``"" K M G``, each 1024 of the former. ``10MB`` and ``10MiB`` are 10 M."""
    text = text_of(value, asker).strip()
    match = _SIZE.fullmatch(text)
    if not match:
        raise FilterError(f'"{text}" is no size', 'write a whole number and at most one of K, M, G, such as "10M"')
    return int(match[1]), match[2].upper()
