"""What an unquoted word means, and which ones are refused because readers of YAML disagree about them.

``0660`` is 432 to one reader and 660 to another, ``off`` is false, ``1:30`` is 90, ``8.10`` is 8.1: a value that would not
be printed as it was written is a ``Trap`` with advice how to write it, never a guess.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Union

from deploykit.config.node import Node, joined
from deploykit.errors import InvalidInput


class Trap:
    """An unquoted value that is refused. taken_for: what some readers make of it. hint: how to write what may be meant."""

    __slots__ = ("hint", "taken_for")

    def __init__(self, text: str, taken_for: str, also: str = "") -> None:
        self.taken_for = taken_for
        self.hint = f'write "{text}" for the text' + also


Scalar = Union[str, int, float, bool, None, Trap]


def _words() -> Dict[str, Scalar]:
    words: Dict[str, Scalar] = {"": None, "~": None}
    switches = {"on": "true", "off": "false", "yes": "true", "no": "false"}
    for word, value in ({"true": True, "false": False, "null": None, **switches}).items():
        for spelling in (word, word.title(), word.upper()):
            trap = isinstance(value, str)
            words[spelling] = Trap(spelling, str(value), f", {value} for a switch") if trap else value
    return words


_WORDS = _words()
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_NUMBERS = (
    (re.compile(r"[-+]?0([xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)"), "a number in another base"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "a number to the base 60"),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "infinity or no number"),
)


def meaning(text: str) -> Scalar:
    """What unquoted text means: a number, true or false, nothing (None), the text itself, or a Trap.

    Only a number that is printed exactly as it was written is a number.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        return _number(text)
    return text


def _number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        if len(text) > 30:
            return Trap(text, f"a number of {len(text)} digits")
        return int(text) if str(int(text)) == text else Trap(text, _other_integer(text))
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if repr(number) == text else Trap(text, f"the number {number!r}")
    for pattern, taken_for in _ODD_NUMBERS:
        if pattern.fullmatch(text):
            return Trap(text, taken_for)
    return text


def _other_integer(text: str) -> str:
    octal = text.startswith("0") and set(text) <= set("01234567")
    return f"the number {int(text, 8)}" if octal else f"the number {int(text)}"


def refusal(node: Node, expected: str, secret: bool = False) -> InvalidInput:
    """The error for a plain Node whose text is a Trap or says that there is no value.

    expected: what the field wants. secret: the message may not show what was written.
    """
    value = meaning(node.text)
    if not isinstance(value, Trap):
        written = f"{node.text}, which is none" if node.text else "nothing"
        hint = 'write "" for an empty text, or remove the line'
        return InvalidInput(f"expected {expected}, got {written}", at=node.at, hint=hint)
    if secret:
        message = f"expected {expected}, got an unquoted one that some readers change"
        return InvalidInput(message, at=node.at, hint="put it into quotes")
    message = f"expected {expected}, got unquoted {node.text}, which some readers take for {value.taken_for}"
    return InvalidInput(message, at=node.at, hint=value.hint)


def free_form(node: Node, secret: bool = False) -> Any:
    """A Node as plain data: dicts, lists, text, integers, floats, true and false, for values whose type nobody knows.

    Raises InvalidInput for every trap and every empty value in it, all at once. secret: no message may show a value.
    """
    traps: List[Node] = []
    value = _plain_data(node, traps)
    if traps:
        raise joined([refusal(trap, "a value", secret) for trap in traps])
    return value


def _plain_data(node: Node, traps: List[Node]) -> Any:
    kind = node.kind
    if kind == "map":
        return {key: _plain_data(child, traps) for key, child in node.children.items()}
    if kind == "list":
        return [_plain_data(child, traps) for child in node.entries]
    if kind == "quoted":
        return node.value
    value = meaning(node.text)
    if value is None or type(value) is Trap:
        traps.append(node)
    return value
