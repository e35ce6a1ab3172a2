"""The real program with one fault in its machine: ``faulty.py FAULT ARGUMENT...``.

FAULT is ``none``, ``count`` (print how many boundaries a run has) or KIND:N, where N counts the calls that change the
machine, from 1: ``kill:N`` dies by SIGKILL just before call N, ``term:N`` gets a SIGTERM there, ``enospc:N`` and
``erofs:N`` make call N fail with that error, ``alarm:N`` is our own deadline, ``hang:N`` waits there for a minute,
``bug:N`` is a mistake of ours there.
``port:P`` listens at port P of 127.0.0.1 from just before the first reload.
"""

from __future__ import annotations

import errno
import functools
import os
import signal
import socket
import sys
import time
from typing import Any, Callable, List

from deploykit.cli import main
from deploykit.system.real import RealMachine

CHANGING = ("make_folder", "remove_folder", "write_new", "rename", "remove", "link", "append", "sync", "command", "signal")
SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "alarm": signal.SIGALRM}
_SQUATTERS: List[socket.socket] = []
ERRORS = {"enospc": errno.ENOSPC, "erofs": errno.EROFS, "eio": errno.EIO}


class FaultyMachine(RealMachine):
    """Counts the boundaries and fails at one of them."""

    kind = "none"
    number = 0
    count = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return _faulty(found) if name in CHANGING else found


def _faulty(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapped(*given: Any, **named: Any) -> Any:
        FaultyMachine.count += 1
        if FaultyMachine.kind == "port" and call.__name__ == "signal" and not _SQUATTERS:
            _SQUATTERS.append(socket.create_server(("127.0.0.1", FaultyMachine.number)))
        if FaultyMachine.count == FaultyMachine.number:
            _fail(FaultyMachine.kind, call.__name__)
        return call(*given, **named)

    return wrapped


def _fail(kind: str, where: str) -> None:
    if kind in SIGNALS:
        os.kill(os.getpid(), SIGNALS[kind])
    elif kind == "hang":
        time.sleep(60)
    elif kind == "bug":
        raise ZeroDivisionError("a mistake of ours")
    elif kind in ERRORS:
        raise OSError(ERRORS[kind], os.strerror(ERRORS[kind]), where)


if __name__ == "__main__":
    kind, _, number = sys.argv[1].partition(":")
    FaultyMachine.kind, FaultyMachine.number = kind, int(number or 0)
    status = main(sys.argv[2:], door=FaultyMachine)
    if kind == "count":
        print(f"boundaries {FaultyMachine.count}")
    sys.exit(status)
