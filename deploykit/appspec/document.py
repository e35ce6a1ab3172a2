"""What is written in a YAML document, before either agent gives it a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Tuple

from deploykit.errors import Location


@dataclass(frozen=True)
class Node:
    """One value as it was written. kind: ``scalar`` ``list`` ``map`` ``alias``.

    text: a scalar's text, or the anchor that an alias names. style: ``""`` for unquoted text, else ``'`` ``"`` ``|`` ``>``.
    plain: may the text become a number, a date and so on (unquoted, or quoted under the tag ``!``)? tag: as YAML expands it.
    entries: key and value of a map, in the order of the file, duplicates too. target: index in ``Tree.anchored``, -1 for none.
    """

    kind: str
    at: Location
    text: str = ""
    style: str = ""
    plain: bool = False
    tag: str = ""
    anchor: str = ""
    target: int = -1
    children: Tuple[Node, ...] = ()
    entries: Tuple[Tuple[Node, Node], ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing is written here, as after ``hooks:`` at the end of a line."""
        return self.kind == "scalar" and not self.style and not self.text


@dataclass(frozen=True)
class Problem:
    """Why a YAML parser stops, in its own words, and where."""

    message: str
    at: Location

    @property
    def hint(self) -> str:
        """What to do about the commonest of them."""
        if "\\t" in self.message or "tab" in self.message:
            return "indent with spaces"
        return "save it as UTF-8 without control characters" if "UTF-8" in self.message or "control" in self.message else ""


@dataclass(frozen=True)
class Tree:
    """The first document of a file, which is all that agent v1 looks at.

    root None: there is no document. problem: the parser stops before the document's end. more: the place of a second
    document. after: the parser stops behind the first document. anchored: the nodes that have an anchor. aliases: how many.
    """

    root: Optional[Node] = None
    problem: Optional[Problem] = None
    more: Optional[Location] = None
    after: Optional[Problem] = None
    anchored: Tuple[Node, ...] = ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, keys too, in the order of the file; aliases are not followed."""
    pending = [node]
    while pending:
        here = pending.pop()
        yield here
        pending.extend(reversed(here.children))
        for key, value in reversed(here.entries):
            pending.extend((value, key))


def value_of(node: Node, name: str) -> Optional[Node]:
    """The value under a key that is the text ``name``; the last one where it is written twice. None for anything but a map."""
    found = [value for key, value in node.entries if key.kind == "scalar" and key.text == name]
    return found[-1] if found else None


def key_of(node: Node, name: str) -> Location:
    """The place of a key, or of the whole map where it has no such key."""
    found = [key.at for key, _ in node.entries if key.kind == "scalar" and key.text == name]
    return found[-1] if found else node.at
