"""From a YAML parser's events to the tree of the first document."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional

from deploykit.appspec.document import Node, Problem, Tree
from deploykit.errors import Location

DEEPEST = 200


class TooDeepError(Exception):
    """More than ``DEEPEST`` lists and maps inside each other: no appspec, whatever an agent makes of it."""

    def __init__(self, at: Location) -> None:
        super().__init__(str(at))
        self.at = at


def build(events: Iterator[Any], file: str) -> Tree:
    """The tree that these events tell of (PyYAML's, and a ``Problem`` where it stops). Raises ``TooDeepError``."""
    builder = _Builder(file)
    for event in events:
        if isinstance(event, Problem):
            return Tree(problem=event)
        if type(event).__name__ == "DocumentEndEvent":
            return builder.finish(events)
        builder.take(event)
    return Tree()


class _Builder:
    """Keeps the lists and maps that are open in a list of its own: no recursion, whatever the depth."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.anchors: Dict[str, int] = {}
        self.anchored: List[Optional[Node]] = []
        self.open: List[_Open] = []
        self.root: Optional[Node] = None

    def finish(self, events: Iterator[Any]) -> Tree:
        anchored = tuple(node for node in self.anchored if node)
        for event in events:
            if isinstance(event, Problem):
                return Tree(self.root, after=event, anchored=anchored)
            if type(event).__name__ == "DocumentStartEvent":
                return Tree(self.root, more=self._at(event), anchored=anchored)
        return Tree(self.root, anchored=anchored)

    def take(self, event: Any) -> None:
        name = type(event).__name__
        if name in ("SequenceStartEvent", "MappingStartEvent"):
            self._begin(event, "list" if name[0] == "S" else "map")
        elif name in ("SequenceEndEvent", "MappingEndEvent"):
            top = self.open.pop()
            self._put(top.node(), top.slot)
        elif name == "ScalarEvent":
            slot = self._slot(event.anchor)
            style = event.style or ""
            node = Node("scalar", self._at(event), event.value, style, event.implicit[0], _tag(event), event.anchor or "")
            self._put(node, slot)
        elif name == "AliasEvent":
            self._put(Node("alias", self._at(event), event.anchor, target=self.anchors.get(event.anchor, -1)), -1)

    def _begin(self, event: Any, kind: str) -> None:
        if len(self.open) >= DEEPEST:
            raise TooDeepError(self._at(event))
        self.open.append(_Open(kind, self._at(event), _tag(event), event.anchor or "", self._slot(event.anchor)))

    def _slot(self, name: Optional[str]) -> int:
        """The place in ``anchored`` that a node with this anchor will have; -1 for a node without one."""
        if not name:
            return -1
        self.anchors[name] = len(self.anchored)
        self.anchored.append(None)
        return self.anchors[name]

    def _put(self, node: Node, slot: int) -> None:
        if slot >= 0:
            self.anchored[slot] = node
        if self.open:
            self.open[-1].content.append(node)
        else:
            self.root = node

    def _at(self, event: Any) -> Location:
        return Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


class _Open:
    """A list or map whose end has not come yet."""

    def __init__(self, kind: str, at: Location, tag: str, anchor: str, slot: int) -> None:
        self.kind = kind
        self.at = at
        self.tag = tag
        self.anchor = anchor
        self.slot = slot
        self.content: List[Node] = []

    def node(self) -> Node:
        if self.kind == "list":
            return Node("list", self.at, tag=self.tag, anchor=self.anchor, children=tuple(self.content))
        pairs = tuple(zip(self.content[::2], self.content[1::2]))
        return Node("map", self.at, tag=self.tag, anchor=self.anchor, entries=pairs)


def _tag(event: Any) -> str:
    # The tag "!" says "by the kind of node", which is to say nothing.
    return "" if event.tag in (None, "!") else str(event.tag)
