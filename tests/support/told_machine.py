"""A machine of which some things are told and the rest is real: other distributions and systemd, where there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from deploykit.model import Found
from deploykit.system.port import CommandResult
from deploykit.system.real import RealMachine
from deploykit.system.signals import Watch

Argv = Tuple[str, ...]


@dataclass
class Told:
    """What a :class:`ToldMachine` says: programs, folders (path to names), files, accounts, answers and deeds of commands."""

    tools: Sequence[str] = ()
    folders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    accounts: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[Argv, str] = field(default_factory=dict)
    deeds: Mapping[Argv, Callable[[], int]] = field(default_factory=dict)


class ToldMachine(RealMachine):
    """Commands that nobody told it about are an error of the test; ``asked`` and ``commanded`` record the others."""

    def __init__(self, told: Told) -> None:
        super().__init__("", [], {}, "", Watch(3600.0))
        self._told = told
        self.asked: List[Argv] = []
        self.commanded: List[Argv] = []

    def find(self, path: str) -> Found:
        if path in self._told.folders:
            return Found(path, "folder")
        if path in self._told.files:
            return Found(path, "file", size=len(self._told.files[path]))
        return super().find(path) if path.startswith(("/tmp/", "/proc/")) else Found(path)

    def read(self, path: str) -> bytes:
        return self._told.files[path] if path in self._told.files else super().read(path)

    def names(self, folder: str) -> Tuple[str, ...]:
        if folder.startswith("/tmp/"):
            return super().names(folder)
        return tuple(sorted(self._told.folders.get(folder, ())))

    def tool(self, *names: str) -> str:
        for name in names:
            for path in self._told.tools:
                if name in (path, path.rpartition("/")[2]):
                    return path
        return ""

    def uid(self, name: str) -> Optional[int]:
        return self._told.accounts.get(name)

    def ask(self, argv: Sequence[str], seconds: float = 10.0) -> CommandResult:
        self.asked.append(tuple(argv))
        if tuple(argv) in self._told.answers:
            return CommandResult(0, self._told.answers[tuple(argv)])
        return super().ask(argv, seconds)

    def command(self, argv: Sequence[str], seconds: float, say: Optional[Callable[[str], None]] = None) -> CommandResult:
        self.commanded.append(tuple(argv))
        return CommandResult(self._told.deeds[tuple(argv)](), "what it said\n")

    @property
    def said(self) -> Dict[str, int]:
        """How often each program was asked."""
        counts: Dict[str, int] = {}
        for argv in self.asked:
            counts[argv[0]] = counts.get(argv[0], 0) + 1
        return counts
