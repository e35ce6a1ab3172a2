"""Nodes -> typed values, driven by tables: a reader takes a Node and returns the value, or raises InvalidInput.

Readers of maps and lists go on after an error, so that one read reports all errors of a file (``InvalidInput.more``).
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Generic, List, Mapping, NamedTuple, Sequence, Tuple, TypeVar

from deploykit.config.node import Node, joined, nearest
from deploykit.config.scalars import Trap, meaning, refusal
from deploykit.errors import InvalidInput, Location

T = TypeVar("T")
Reader = Callable[[Node], T]


class Placed(NamedTuple):
    """A text and where it was written."""

    text: str
    at: Location


def wrong(node: Node, expected: str, hint: str = "") -> InvalidInput:
    """The error for a Node that is something else than what its field wants."""
    if node.kind in ("map", "list"):
        return InvalidInput(f"expected {expected}, got a {node.kind}", at=node.at, hint=hint)
    value = node.value if node.kind == "quoted" else meaning(node.text)
    if value is None or isinstance(value, Trap):
        problem = refusal(node, expected)
        return InvalidInput(problem.message, at=problem.at, hint=hint or problem.hint)
    if value == "":
        return InvalidInput(f"expected {expected}, got an empty text", at=node.at, hint=hint)
    names = {str: "text", bool: "switch", int: "number", float: "number"}
    written = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    return InvalidInput(f"expected {expected}, got the {names[type(value)]} {written!r}", at=node.at, hint=hint)


def scalar(node: Node) -> Any:
    """Text, a number, true or false; None for a map, a list, a trap or nothing."""
    if node.kind == "quoted":
        return node.value
    value = meaning(node.text) if node.kind == "plain" else None
    return None if isinstance(value, Trap) else value


def text(node: Node) -> str:
    """Text that is not empty; what could be read as a number or a switch must be in quotes."""
    value = scalar(node)
    if isinstance(value, str) and value:
        return value
    quoting = f'write it in quotes: "{node.text}"' if node.kind == "plain" and node.text else ""
    raise wrong(node, "text", quoting)


def placed(node: Node) -> Placed:
    """Text with its place."""
    return Placed(text(node), node.at)


def integer(node: Node) -> int:
    """A whole number, unquoted."""
    value = scalar(node)
    if type(value) is int:
        return value
    raise wrong(node, "a whole number", "write it without quotes" if re.fullmatch("[0-9]+", node.text) else "")


def boolean(node: Node) -> bool:
    """true or false."""
    value = scalar(node)
    if isinstance(value, bool):
        return value
    raise wrong(node, "true or false", "write true or false, without quotes")


class Matching:
    """Text of one shape. expected: its name in messages, with an example."""

    def __init__(self, pattern: str, expected: str) -> None:
        self._pattern = re.compile(pattern, re.DOTALL)
        self._expected = expected

    def __call__(self, node: Node) -> str:
        value = text(node)
        if not self._pattern.fullmatch(value):
            raise wrong(node, self._expected)
        return value


class ListOf(Generic[T]):
    """A list whose entries are read by ``inner``."""

    def __init__(self, inner: Reader[T]) -> None:
        self.inner = inner

    def __call__(self, node: Node) -> Tuple[T, ...]:
        if node.kind != "list" and not node.empty:
            raise wrong(node, "a list", "write every entry in a line of its own that begins with a dash")
        attempt = Attempt()
        values = [attempt.call(self.inner, entry) for entry in node.entries]
        attempt.finish()
        return tuple(values)


class MapOf(Generic[T]):
    """A map with keys of the user's own, whose values are read by ``inner``. check: raises for a key that may not be."""

    def __init__(self, inner: Reader[T], check: Callable[[str, Location], None] = lambda key, at: None) -> None:
        self.inner = inner
        self._check = check

    def __call__(self, node: Node) -> Dict[str, T]:
        attempt = Attempt()
        values: Dict[str, T] = {}
        for key, child in children(node).items():
            attempt.call(self._check, key, child.key_at)
            values[key] = attempt.call(self.inner, child)
        attempt.finish()
        return values


class Section(Generic[T]):
    """A map with the keys of ``table`` and no others. build: makes the value of the Node and of what was given."""

    def __init__(
        self, build: Callable[[Node, Dict[str, Any]], T], table: Mapping[str, Reader[Any]], required: Sequence[str] = ()
    ) -> None:
        self.table = table
        self._build = build
        self._required = required

    def __call__(self, node: Node) -> T:
        attempt = Attempt()
        given: Dict[str, Any] = {}
        for key, child in children(node).items():
            if key in self.table:
                given[key] = attempt.call(self.table[key], child)
            else:
                attempt.problems.append(unknown(key, self.table, child))
        attempt.problems += [InvalidInput(f'"{key}" is missing', at=node.key_at) for key in self._required if key not in given]
        attempt.finish()
        return self._build(node, given)


class OneOf:
    """A map with exactly one key, that says what its value is: ``http: {...}`` or ``fastcgi: {...}``."""

    def __init__(self, table: Mapping[str, Reader[Any]]) -> None:
        self.table = table

    def __call__(self, node: Node) -> Any:
        key, child = only_pair(node, "a map with one key: " + " or ".join(self.table))
        if key not in self.table:
            raise unknown(key, self.table, child)
        return self.table[key](child)


def children(node: Node) -> Mapping[str, Node]:
    """The values of a map; none where nothing was written, since a section may have all its lines commented out."""
    if node.kind != "map" and not node.empty:
        raise wrong(node, "a map", 'write "key: value" lines, indented below')
    return node.children


def only_pair(node: Node, expected: str) -> Tuple[str, Node]:
    """Key and value of a map with one key."""
    if node.kind != "map":
        raise wrong(node, expected)
    pairs = list(node.children.items())
    if len(pairs) != 1:
        names = ", ".join(key for key, _ in pairs) or "none"
        hint = "look at the indentation and the dashes"
        raise InvalidInput(f"expected {expected}, got the keys {names}", at=node.at, hint=hint)
    return pairs[0]


def unknown(key: str, known: Mapping[str, Any], value: Node) -> InvalidInput:
    """The error for a key that is not in the table; ``value`` is what stands under it."""
    hint = "known keys: " + ", ".join(sorted(known))
    return InvalidInput(f'unknown key "{key}"{nearest(key, known)}', at=value.key_at, hint=hint)


class Attempt:
    """Goes on after an error: collects what readers raise until ``finish`` raises it as one."""

    def __init__(self) -> None:
        self.problems: List[InvalidInput] = []

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function returns, or (after an error) None, that nobody sees because ``finish`` raises."""
        try:
            return function(*arguments)
        except InvalidInput as problem:
            self.problems.append(problem)
        return None  # type: ignore[return-value]

    def finish(self) -> None:
        if self.problems:
            raise joined(self.problems)
