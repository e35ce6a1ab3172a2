"""nginx's configuration as a tree in which every include is opened where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import FrozenSet, Iterator, Mapping, Optional, Tuple

from deploykit.errors import Location
from deploykit.parsers.nginx_names import TABLES
from deploykit.parsers.problem import Include, Problem

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
_CAPTURE = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
_DEFINING = {"set": 0, "map": 1, "split_clients": 1, "auth_request_set": 0, "perl_set": 0, "js_set": 0, "js_var": 0}


@dataclass(frozen=True)
class Directive:
    """One statement. args are without quotes, those of ``if`` without the parentheses; block is None where there is none.

    In the blocks ``types``, ``map``, ``geo``, ``split_clients`` and ``charset_map`` name is a key of the table.
    arg_lines: the line in which each argument stands. line and column count from 1.
    """

    name: str
    args: Tuple[str, ...]
    file: str
    line: int
    column: int = 0
    block: Optional[Tuple[Directive, ...]] = None
    arg_lines: Tuple[int, ...] = ()

    @property
    def at(self) -> Location:
        return Location(self.file, self.line, self.column)

    def find(self, name: str) -> Tuple[Directive, ...]:
        """The directives of this name that stand directly in the block."""
        return tuple(inner for inner in self.block or () if inner.name == name)


Parents = Tuple[Directive, ...]


@dataclass(frozen=True)
class NginxConfig:
    """A whole configuration.

    root: stands for the main file, its block holds the directives of the outermost level. Behind an ``include`` follow
    the directives of the files that it took in, with their own file and line. problems: what nginx would refuse; it
    stops at the first, this goes on. files: all that were read, main first. comments: by (file, line), without ``#``.
    """

    root: Directive
    problems: Tuple[Problem, ...]
    includes: Tuple[Include, ...]
    files: Tuple[str, ...]
    comments: Mapping[Tuple[str, int], str] = field(default_factory=dict)

    @property
    def directives(self) -> Tuple[Directive, ...]:
        return self.root.block or ()


def walk(config: NginxConfig, tables: bool = False) -> Iterator[Tuple[Directive, Parents]]:
    """Every directive with the blocks around it, the root first and the nearest last, in the order of reading.

    The lines of tables (``map``, ``types`` and the like) are left out unless ``tables`` is set.
    """
    yield from _inside(config.root, (config.root,), tables)


def _inside(block: Directive, parents: Parents, tables: bool) -> Iterator[Tuple[Directive, Parents]]:
    for directive in block.block or ():
        yield directive, parents
        if directive.block and (tables or directive.name not in TABLES):
            yield from _inside(directive, (*parents, directive), tables)


def effective(name: str, blocks: Parents) -> Tuple[Directive, ...]:
    """What a block inherits of a directive: all of that name on the nearest level that has one, ``()`` if none has.

    ``blocks`` are the parents of a block, then the block. That is how nearly all directives are inherited, lists like
    fastcgi_param and add_header too: one on a level drops all those further out.
    """
    for block in reversed(blocks):
        found = block.find(name)
        if found:
            return found
    return ()


def variables_in(text: str) -> Tuple[str, ...]:
    """Names of the variables that a value uses, ``$1`` and the like included, in their order."""
    return tuple(braced or plain for braced, plain in _VARIABLE.findall(text))


def defined_variables(config: NginxConfig) -> FrozenSet[str]:
    """Variables that the configuration itself makes: set, map, geo, split_clients, named captures and the like."""
    names = set()
    for directive, _ in walk(config, tables=True):
        for word in (directive.name, *directive.args):
            names.update(_CAPTURE.findall(word))
        position = _DEFINING.get(directive.name)
        if directive.name == "geo":
            position = len(directive.args) - 1
        if position is not None and 0 <= position < len(directive.args):
            names.add(directive.args[position].lstrip("$"))
    return frozenset(names)
