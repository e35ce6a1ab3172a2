"""Requests over the network of an instance, without a pause: support/load.py on the outer end of it."""

from __future__ import annotations

from support.instance.machine import ADDRESS, Machine
from support.load import Load


class LoadFromOutside(Load):
    """Like Load, for a path of the instance's site."""

    def __init__(self, machine: Machine, path: str, connections: int = 8, expect: str = "") -> None:
        super().__init__(f"http://{ADDRESS}{path}", connections, expect)
        self._argv = [*machine.outside(), *self._argv]
