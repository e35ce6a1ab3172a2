"""The machine for those who only decide: whatever would change something raises."""

from __future__ import annotations

from typing import Any

from deploykit.system.port import Readable, Scratch

_LOOKING = frozenset(name for name in (*vars(Readable), *vars(Scratch)) if not name.startswith("_"))


class ReadOnlyMachine:
    """Passes on what ``Scratch`` may do and refuses the rest, so that a dry run cannot change anything even by mistake."""

    def __init__(self, machine: Scratch) -> None:
        self._machine = machine

    def __getattr__(self, name: str) -> Any:
        if name in _LOOKING:
            return getattr(self._machine, name)
        raise PermissionError(f"a dry run tried to change the machine: {name}")
