"""What is tried out in private, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from deploykit.model.machine import Probe


@dataclass(frozen=True)
class TrialFile:
    """A file of the candidate that differs from the live one, as the trial lays it over the live tree."""

    path: str
    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class TrialService:
    """How one service is tested and started in a trial: argument lists, never shell strings.

    test exits 0 when the configuration is accepted; start daemonises; pid_file tells its master afterwards.
    """

    name: str
    test: Tuple[str, ...]
    start: Tuple[str, ...]
    pid_file: str


@dataclass(frozen=True)
class Trial:
    """What is tried out in private, at the real absolute paths, before one live byte changes.

    covered: live folders whose private version the candidate is laid into; shielded: folders into which the application may
    write when it is asked: where overlays are possible, those writes stay in the trial; private: folders that are empty
    there (run, log, lib, tmp) but for their sub-folders; visible: folders that stay as they are although they
    lie below a private one. addresses: every FastCGI address that nginx's files name (``unix:/run/x.sock``,
    ``127.0.0.1:9000``), each must take a connection from ``user``. probes: asked once through nginx.
    seconds: for the whole trial.
    """

    files: Tuple[TrialFile, ...]
    removals: Tuple[str, ...]
    covered: Tuple[str, ...]
    private: Tuple[str, ...]
    visible: Tuple[str, ...]
    services: Tuple[TrialService, ...]
    addresses: Tuple[str, ...]
    user: str
    probes: Tuple[Probe, ...]
    seconds: float = 30.0
    shielded: Tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialProblem:
    """One thing that went wrong in a trial. service: who said it. output: its words, for mapping to a template line."""

    kind: str
    service: str
    output: str


@dataclass(frozen=True)
class TrialResult:
    """judge: ``namespace`` ``user namespace`` ``copy`` ``none``; rehearsed: both services were really started and asked."""

    judge: str
    rehearsed: bool
    problems: Tuple[TrialProblem, ...]
    warnings: Tuple[TrialProblem, ...] = ()
    notes: Tuple[str, ...] = ()
    seconds: float = 0.0
