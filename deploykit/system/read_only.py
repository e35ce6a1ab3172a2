"""The machine for those who only decide: whatever would change something raises."""

from __future__ import annotations

from typing import Any

from deploykit.system.port import Scratch

_LOOKING = frozenset(
    (
        "find read names tool uid gid own_ids is_root free_space ask master children holder measure request newest_change proved "
        "timestamp monotonic wall_clock sleep rehearse"
    ).split()
)


class ReadOnlyMachine:
    """Passes on what ``Scratch`` may do and refuses the rest, so that a dry run cannot change anything even by mistake."""

    def __init__(self, machine: Scratch) -> None:
        self._machine = machine

    def __getattr__(self, name: str) -> Any:
        if name in _LOOKING:
            return getattr(self._machine, name)
        raise PermissionError(f"a dry run tried to change the machine: {name}")
