"""What the simulator is asked, and what it saw, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from deploykit.simulator.agents import Agent

# What the console calls the codes that a hook can end with.
SUCCEEDED, MISSING, NOT_EXECUTABLE, TIMED_OUT, FAILED, UNKNOWN, LEFT_OPEN = range(7)
CODE_NAMES = (
    "Success",
    "ScriptMissing",
    "ScriptNotExecutable",
    "ScriptTimedOut",
    "ScriptFailed",
    "UnknownError",
    "UnknownError",  # 6, outputs left open: the service has no name of its own for it
)


@dataclass(frozen=True)
class Asked:
    """One deployment to play.

    root: folder that stands for ``/``, ``""`` for the machine itself. revision: a zip file or a folder. local: as the agent's
    own command line does it. behaviour: what --file-exists-behavior says. fail_event: end this event as failed. words: what
    each deploykit in the sandbox is told. environment and folder: the caller's. retain: archives that are kept.
    """

    root: str
    agent: Agent
    revision: str
    deployment: str
    group: str
    group_id: str
    application: str
    events: Tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    local: bool = False
    behaviour: str = "DISALLOW"
    retain: int = 5
    fail_event: str = ""
    forgive_stop: bool = False
    words: Tuple[str, ...] = ()
    fail_words: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnostics:
    """What the agent sends to the service about a failure. code: a number, or ``Unknown`` where the log broke its JSON."""

    code: str
    script: str
    message: str
    log: str

    @property
    def name(self) -> str:
        """What the console calls the code."""
        return CODE_NAMES[int(self.code)] if self.code.isdigit() else self.code


@dataclass(frozen=True)
class ScriptEnd:
    """One script that was started: status as the kernel told it (negative for a signal), None where there is none."""

    location: str
    seconds: float
    status: Optional[int] = None


@dataclass(frozen=True)
class EventEnd:
    """How an event ended. status: Succeeded, Failed, Ignored (a failure that is forgiven) or Skipped (not reached).

    archive: the deployment whose archive it ran from, ``""`` for none. log: the tail as it was at the end, shown by the console
    only after a failure. reports: what the agent sends; the console shows the first. bad_appspec: the reason is the appspec.
    """

    event: str
    status: str
    code: int = SUCCEEDED
    seconds: float = 0.0
    archive: str = ""
    scripts: Tuple[ScriptEnd, ...] = ()
    log: str = ""
    installed: Tuple[str, ...] = ()
    removed: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    reports: Tuple[Diagnostics, ...] = ()
    bad_appspec: bool = False


@dataclass(frozen=True)
class DeploymentEnd:
    """How a deployment ended: its events, all of them, in their order."""

    asked: Asked
    events: Tuple[EventEnd, ...]
    seconds: float

    @property
    def failed(self) -> Optional[EventEnd]:
        """The event that failed it."""
        return next((event for event in self.events if event.status == "Failed"), None)


class EventFailed(Exception):
    """What ends an event. code: see above. told: how often the agent reports it. bad_appspec: the file is the reason."""

    def __init__(
        self, message: str, code: int = UNKNOWN, script: str = "", *, told: int = 2, bad_appspec: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.script = script
        self.told = told
        self.bad_appspec = bad_appspec
