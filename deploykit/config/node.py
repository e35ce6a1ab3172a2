"""What a YAML file says, with the place of every key and every value."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Union

from deploykit.errors import InvalidInput, Location

Value = Union[str, List["Node"], Dict[str, "Node"]]


class Node:
    """One value of a file.

    kind: ``map`` (value is a dict of Nodes), ``list`` (a list of Nodes), ``quoted`` (text that can only be meant as text:
    in quotes, or a block) or ``plain`` (unquoted text, that may be meant as a number; ``""`` where nothing was written).
    mark is the parser's: anything with ``line`` and ``column`` that count from 0; key_mark is that of the key it stands
    under, in a map. A Location is made of one only when it is asked for, since a file may hold 50,000 values.
    """

    __slots__ = ("file", "key_mark", "kind", "mark", "value")

    def __init__(self, kind: str, value: Value, mark: Any, file: str) -> None:
        self.kind = kind
        self.value = value
        self.mark = mark
        self.file = file
        self.key_mark = mark

    @property
    def at(self) -> Location:
        """Where the value begins."""
        return Location(self.file, self.mark.line + 1, self.mark.column + 1)

    @property
    def key_at(self) -> Location:
        """Where its key was written; where it begins itself, outside a map."""
        return Location(self.file, self.key_mark.line + 1, self.key_mark.column + 1)

    @property
    def empty(self) -> bool:
        """Was nothing written here, as in ``key:`` at the end of a line?"""
        return self.kind == "plain" and self.value == ""

    @property
    def children(self) -> Mapping[str, Node]:
        """The values of a map by key; no children where it is anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def entries(self) -> List[Node]:
        """The values of a list; none where it is anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> str:
        """The text of a quoted or plain value; ``""`` where it is anything else."""
        return self.value if isinstance(self.value, str) else ""


def joined(problems: List[InvalidInput]) -> InvalidInput:
    """All problems of one read as one error: the first in the file, with the others in ``more``. At least one is needed."""
    flat = [single for problem in problems for single in (problem, *problem.more)]
    flat.sort(key=lambda p: (p.at.file, p.at.line, p.at.column) if p.at else ("", 0, 0))
    first = flat[0]
    return InvalidInput(first.message, at=first.at, hint=first.hint, more=tuple(flat[1:]))


def nearest(word: str, choices: Iterable[str]) -> str:
    """``' (did you mean "x"?)'`` when one of the choices is close to the word, else ``""``."""
    import difflib

    close = difflib.get_close_matches(word, list(choices), 1)
    return f' (did you mean "{close[0]}"?)' if close else ""
