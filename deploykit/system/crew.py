"""Start programs in a trial and hear what they say, in a child that owns all its children.

Output goes to a nameless file, not a pipe: a daemon that keeps it open keeps nobody waiting. Ends are waited for by the
signal that tells them, not by looking again and again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Dict, Iterable, List, Optional, Sequence

from deploykit.system.commands import PATH

LARGEST_OUTPUT = 64 << 10
NOT_RUN = 127


class Run:
    """One program that was started. status: None while it runs, else as a shell would say it; output: since it ended."""

    def __init__(self, argv: Sequence[str], pid: int, output: int) -> None:
        self.argv = tuple(argv)
        self.pid = pid
        self.status: Optional[int] = None
        self.output = ""
        self._file = output

    def hear(self) -> str:
        """Take over what it has said until now."""
        if self._file >= 0:
            self.output = os.pread(self._file, LARGEST_OUTPUT, 0).decode("utf-8", "replace").strip()
        return self.output

    def ended(self, status: int) -> None:
        """Note the end, and what it said."""
        self.status = status
        self.hear()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Crew:
    """All programs of one trial. deadline: on the monotonic clock; after it nothing is waited for."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self._runs: Dict[int, Run] = {}
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))

    def left(self, most: float) -> float:
        """Seconds that may still be waited, at most ``most``."""
        return max(0.0, min(most, self.deadline - time.monotonic()))

    def start(self, argv: Sequence[str]) -> Run:
        """Start a program with an environment as thin as a unit's; one that cannot be run has ended with 127."""
        output = os.memfd_create("output")
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
        try:
            pid = os.posix_spawnp(
                argv[0],
                list(argv),
                {"PATH": PATH, "LANG": "C.UTF-8"},
                file_actions=actions,
                setpgroup=0,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores these, and what it starts would too
            )
        except OSError as why:
            os.close(output)
            run = Run(argv, 0, -1)
            run.output = f"{argv[0]}: {why.strerror}"
            run.ended(NOT_RUN)
            return run
        self._runs[pid] = Run(argv, pid, output)
        return self._runs[pid]

    def wait(self, runs: Iterable[Run]) -> None:
        """Wait until all of these have ended, or until the deadline."""
        open_runs: List[Run] = [run for run in runs if run.status is None]
        while open_runs:
            self.reap()
            open_runs = [run for run in open_runs if run.status is None]
            left = self.left(3600)
            if not open_runs or left <= 0:
                return
            signal.sigtimedwait((signal.SIGCHLD,), left)

    def reap(self) -> None:
        """Take the ends of all children that have ended; as PID 1 that includes the services' orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._runs:
                code = os.waitstatus_to_exitcode(status)
                self._runs.pop(pid).ended(128 - code if code < 0 else code)

    def end_all(self) -> None:
        """Kill what still runs, with its group."""
        for pid in self._runs:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
