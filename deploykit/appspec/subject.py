"""What the rules look at, and the ways through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, Optional, Tuple

from deploykit.appspec.document import Node, Tree, value_of
from deploykit.appspec.ruby import RubyError
from deploykit.appspec.scalars import Meaning, resolve
from deploykit.appspec.serde import followed
from deploykit.errors import Location


@dataclass(frozen=True)
class BundleFiles:
    """The files that go with an appspec. Paths are relative to the bundle, with ``/``.

    exists: is there a file or folder of that name? read: a file's bytes, OSError where it cannot be read. shell: the login
    shell of an account of the machine, None where there is no such account; leave it out where the machine is another one.
    """

    exists: Callable[[str], bool]
    read: Callable[[str], bytes]
    shell: Optional[Callable[[str], Optional[str]]] = None


@dataclass(frozen=True)
class Subject:
    """One appspec.yml to look at. agents: whom it must please."""

    raw: bytes
    file: str
    tree: Tree
    agents: Tuple[str, ...]
    bundle: Optional[BundleFiles] = None

    @property
    def top(self) -> Node:
        """The map of the file, or an empty one where the file holds something else."""
        root = self.tree.root
        return root if root and root.kind == "map" else Node("map", Location(self.file))

    def section(self, name: str) -> Optional[Node]:
        """The value of a key of the file; an alias is followed. None where it is missing."""
        return self.field(self.top, name)

    def field(self, entry: Node, name: str) -> Optional[Node]:
        """The value of a key of a map; an alias is followed. None where it is missing."""
        value = value_of(entry, name)
        return followed(value, self.tree) if value else None

    def maps(self, node: Optional[Node]) -> Iterator[Node]:
        """The entries of a list that are maps; aliases are followed."""
        for one in node.children if node else ():
            entry = followed(one, self.tree)
            if entry.kind == "map":
                yield entry

    def events(self) -> Iterator[Tuple[Node, Node]]:
        """Key and value of each event below hooks."""
        hooks = self.section("hooks")
        for key, value in hooks.entries if hooks else ():
            yield key, followed(value, self.tree)

    def scripts(self) -> Iterator[Tuple[str, Node]]:
        """The event's name and the map of each script."""
        for key, value in self.events():
            for script in self.maps(value):
                yield key.text, script


def meaning(node: Node) -> Meaning:
    """Kind and value of a scalar as agent v1 reads it: ``text`` for quoted ones and where Psych itself fails."""
    if node.kind != "scalar":
        return node.kind, None
    if not node.plain or node.tag:
        return "text", node.text
    try:
        return resolve(node.text)
    except RubyError:
        return "text", node.text


def is_text(node: Optional[Node]) -> bool:
    """Is a value there, and a text that is not blank?"""
    return node is not None and node.kind == "scalar" and meaning(node)[0] in ("text", "symbol") and bool(node.text.strip())


def inside(location: str) -> str:
    """A path below the bundle in one form: no leading ``/`` or ``./``, no double slashes; ``..`` is kept where it leads out."""
    parts: list[str] = []
    for part in location.strip().split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
