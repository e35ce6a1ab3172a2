"""A machine that fails on purpose at one kind of thing, for ``--fail-at``: what is undone then, and what does one see?"""

from __future__ import annotations

import errno
from typing import Any, Callable, Optional, Sequence

from deploykit.model import Answer, Probe
from deploykit.system.port import CommandResult

# What can be made to fail, and what that is.
PLACES = {
    "apply": "putting the first new file in its place",
    "reload": "asking a service for its reload, once",
    "http": "every http probe of the live services",
    "fastcgi": "every fastcgi probe of the live services",
    "run": "the first command that changes something: a step's, or a service's start",
}
WORDS = "made to fail by --fail-at"
_RELOADS = (1, 12)  # SIGHUP, SIGUSR2


class FailingMachine:
    """Passes everything on to the machine behind it, but for what is to fail. kept: the prefix of what is deploykit's own."""

    def __init__(self, machine: Any, place: str, kept: str) -> None:
        self._machine = machine
        self._place = place
        self._kept = kept
        self._failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def rename(self, source: str, target: str) -> None:
        if self._place == "apply" and not target.startswith(self._kept) and self._first():
            raise OSError(errno.EIO, WORDS, target)
        self._machine.rename(source, target)

    def signal(self, pid: int, number: int) -> None:
        if self._place == "reload" and number in _RELOADS and self._first():
            raise OSError(errno.EPERM, WORDS, f"process {pid}")
        self._machine.signal(pid, number)

    def request(self, probe: Probe) -> Answer:
        if self._place == probe.kind:
            return Answer(0, error=f"{WORDS} {probe.kind}")
        answer: Answer = self._machine.request(probe)
        return answer

    def command(self, argv: Sequence[str], seconds: float, say: Optional[Callable[[str], None]] = None) -> CommandResult:
        reload = self._place == "reload" and tuple(argv[:2]) == ("systemctl", "reload")
        if (reload or self._place == "run") and self._first():
            return CommandResult(1, f"{WORDS} {self._place}")
        result: CommandResult = self._machine.command(argv, seconds, say)
        return result

    def _first(self) -> bool:
        """Is this the first time? What undoes the failure must not fail too."""
        first, self._failed = not self._failed, True
        return first
