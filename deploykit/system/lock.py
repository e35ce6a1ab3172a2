"""One run at a time on a machine: a lock that the kernel gives back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time

from deploykit.errors import LockHeld

_TEXT = 4096


class Lock:
    """``flock`` on a file that says who holds it. Waits up to ``seconds`` for another run to end.

    Raises LockHeld with the holder's process, event and deployment. A holder that is gone never blocks: its lock went
    with it, whatever the file still says.
    """

    def __init__(self, path: str, holder: str, seconds: float) -> None:
        self._path = path
        self._holder = holder
        self._seconds = seconds
        self._opened = -1

    def __enter__(self) -> Lock:
        self._opened = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + self._seconds
        while not self._taken():
            if time.monotonic() >= until:
                said = os.pread(self._opened, _TEXT, 0).decode("utf-8", "replace").strip()
                os.close(self._opened)
                hint = "wait for it to end and deploy again; two deployment groups on one instance take turns"
                raise LockHeld(f"another deploykit is at work: {said or 'unknown'}", hint=hint)
            time.sleep(0.05)
        os.ftruncate(self._opened, 0)
        os.pwrite(self._opened, f"pid {os.getpid()}, {self._holder}\n".encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._opened)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def make_home(folder: str) -> None:
    """Make the folder that holds the lock, and what else must be remembered: for root alone, since it may hold old secrets."""
    os.makedirs(os.path.dirname(folder), mode=0o755, exist_ok=True)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return
