"""What shall change, what was found against it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from deploykit.errors import Location
from deploykit.model.machine import Found, Probe
from deploykit.model.settings import Request, Settings, StepSpec


@dataclass(frozen=True)
class Target:
    """A file that a template becomes: where, what is in it, whose, and from which template.

    template: path below the bundle, as the user knows it. each: the ``each:`` item's key, for messages.
    """

    path: str
    service: str
    template: str
    content: bytes
    mode: int
    owner: str
    group: str
    each: str = ""


@dataclass(frozen=True)
class Removal:
    """A live file that must go: rendered by a former revision, or listed under ``remove:``."""

    path: str
    service: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One difference between wanted and found.

    action: ``create`` ``replace`` ``attributes`` (owner or mode only) ``remove``.
    before and after hold the bytes, for the diff; ``b""`` where there are none. source: the kept file that comes back,
    times and all, where this undoes an earlier run.
    """

    action: str
    path: str
    service: str
    template: str
    found: Found
    before: bytes = b""
    after: bytes = b""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    reason: str = ""
    source: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing a judge says. severity: ``error`` ``warning`` ``info``; only an error stops a deployment."""

    rule: str
    severity: str
    message: str
    at: Optional[Location] = None
    hint: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judge's word on a candidate: which judge it was, what it found, what it could not look at.

    outside: files that nginx reads outside its own folders (includes, certificates); None where nobody looked.
    """

    judge: str
    findings: Tuple[Finding, ...] = ()
    notes: Tuple[str, ...] = ()
    seconds: float = 0.0
    outside: Optional[Tuple[str, ...]] = None

    @property
    def errors(self) -> Tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")


@dataclass(frozen=True)
class Candidate:
    """The whole configuration as it shall be: every target, changed or not, what differs from live, folders that are still
    to be made, and what to ask of it. seconds: how long judging it may take. newest: when a live file had last changed before
    anything was compared."""

    settings: Settings
    targets: Tuple[Target, ...]
    changes: Tuple[Change, ...]
    folders: Tuple[str, ...] = ()
    probes: Tuple[Probe, ...] = ()
    unchanged: int = 0
    seconds: float = 60.0
    newest: float = 0.0


@dataclass(frozen=True)
class SocketMoves:
    """FastCGI addresses that the changed pool files give up and take up, and what a bridge needs to keep the old ones alive.

    gone and new: addresses as written after ``listen =``. bridge: (path of a temporary pool file, its text) or None.
    """

    gone: Tuple[str, ...] = ()
    new: Tuple[str, ...] = ()
    bridge: Optional[Tuple[str, str]] = None


@dataclass(frozen=True)
class Plan:
    """What an event would do, and the proof that it may. Printed by a dry run, carried out otherwise.

    due: services to reload, by change or because a reload is owed. folders: to be made, parents first, with the owner.
    record: the text that tells the next run which files are ours. newest: see ``Candidate``. leaving: folders that go if
    they are empty afterwards.
    """

    request: Request
    settings: Settings
    changes: Tuple[Change, ...] = ()
    folders: Tuple[str, ...] = ()
    due: Tuple[str, ...] = ()
    owed: Tuple[str, ...] = ()
    moves: SocketMoves = SocketMoves()
    probes: Tuple[Probe, ...] = ()
    verdict: Verdict = Verdict("none")
    steps: Tuple[StepSpec, ...] = ()
    start: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    owner: Tuple[int, int] = (0, 0)
    record: bytes = b""
    unchanged: int = 0
    newest: float = 0.0
    leaving: Tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.changes or self.due or self.start)


@dataclass(frozen=True)
class Outcome:
    """How carrying out ended. run: its name in the history, ``""`` when nothing was changed. newest: when a live file had
    last changed when it was proved."""

    run: str
    summary: str
    changed: int = 0
    reloaded: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    newest: float = 0.0
