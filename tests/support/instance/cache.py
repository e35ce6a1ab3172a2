"""The folder in which roots, libraries and running instances are kept between test runs, and locks for what is in there."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


def folder() -> Path:
    """``$DEPLOYKIT_INSTANCES``, by default ``~/.cache/deploykit/instances``; made when it is not there."""
    named = os.environ.get("DEPLOYKIT_INSTANCES") or "~/.cache/deploykit/instances"
    path = Path(named).expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(name: str) -> Iterator[int]:
    """Hold the lock of that name against other test runs and workers; gives its descriptor."""
    with open(folder() / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()
