"""What is compared, and what came of it, as frozen data. Every text in a ``Review`` is free of secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Mapping, Optional, Sequence, Tuple

from deploykit.model import Finding


@dataclass(frozen=True)
class Rendered:
    """One file on one side. attributes: owner and mode as one text, compared and shown as it is. remark: for people."""

    path: str
    service: str
    template: str
    content: bytes
    attributes: str
    remark: str = ""


@dataclass(frozen=True)
class Placed:
    """A finding at its template's line, and the path and line of the rendered file that it stands for (0: no line).

    new: it is not among those of the former side.
    """

    finding: Finding
    path: str = ""
    line: int = 0
    new: bool = True


@dataclass(frozen=True)
class Side:
    """An environment's files as they were or as they shall be.

    files: by live path. removed: path -> (service, why) of files that must not be there. grace: seconds that php-fpm gives
    requests in progress when it reloads, None where nobody knows. unchanged: files that are not among ``files`` because they
    are the same on both sides. problem: why there is no such side; the rest is then empty.
    """

    files: Mapping[str, Rendered] = field(default_factory=dict)
    removed: Mapping[str, Tuple[str, str]] = field(default_factory=dict)
    findings: Sequence[Placed] = ()
    notes: Sequence[str] = ()
    grace: Optional[int] = None
    unchanged: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a difference. sign: ``" "``, ``"-"`` or ``"+"``; old and new: its number on each side, 0 for none.

    secret: it differs from its former self in a secret, which the text does not show.
    """

    sign: str
    old: int
    new: int
    text: str
    secret: bool = False


Hunk = Tuple[Row, ...]


@dataclass(frozen=True)
class FileChange:
    """One file that differs. action: ``create`` ``replace`` ``attributes`` ``remove``. remark: what the rows cannot show."""

    action: str
    path: str
    service: str
    template: str
    attributes: str = ""
    remark: str = ""
    hunks: Tuple[Hunk, ...] = ()
    findings: Tuple[Placed, ...] = ()

    @property
    def rows(self) -> Tuple[Row, ...]:
        return tuple(row for hunk in self.hunks for row in hunk)

    @property
    def added(self) -> int:
        return sum(row.sign == "+" for row in self.rows)

    @property
    def removed(self) -> int:
        return sum(row.sign == "-" for row in self.rows)

    @property
    def secret(self) -> bool:
        return any(row.secret for row in self.rows)


@dataclass(frozen=True)
class EnvironmentChange:
    """What the change does to one environment. findings: those that belong to no file of ``files``.

    problem: why it cannot be said, ``""`` when it can.
    """

    name: str
    files: Tuple[FileChange, ...] = ()
    unchanged: int = 0
    grace: Optional[int] = None
    findings: Tuple[Placed, ...] = ()
    notes: Tuple[str, ...] = ()
    problem: str = ""

    @property
    def changed(self) -> bool:
        return bool(self.files or self.problem)

    @property
    def reloads(self) -> Tuple[str, ...]:
        """Services with a file that changes, nginx first."""
        return tuple(sorted({file.service for file in self.files}))

    @property
    def new_findings(self) -> Tuple[Placed, ...]:
        """Those that the change brings, wherever they are."""
        everywhere = [*self.findings, *(placed for file in self.files for placed in file.findings)]
        return tuple(placed for placed in everywhere if placed.new)


@dataclass(frozen=True)
class Review:
    """All environments. against: what the change is compared with, as a sentence would say it. notes: on all of them."""

    against: str
    environments: Tuple[EnvironmentChange, ...]
    notes: Tuple[str, ...] = ()

    @property
    def changed(self) -> Tuple[EnvironmentChange, ...]:
        return tuple(environment for environment in self.environments if environment.changed)

    @property
    def same(self) -> Tuple[EnvironmentChange, ...]:
        return tuple(environment for environment in self.environments if not environment.changed)

    def totals(self) -> Dict[str, int]:
        """Files by what happens to them, over all environments: ``create``, ``update``, ``delete``."""
        words = {"create": "create", "replace": "update", "attributes": "update", "remove": "delete"}
        totals = {"create": 0, "update": 0, "delete": 0}
        for environment in self.environments:
            for file in environment.files:
                totals[words[file.action]] += 1
        return totals
