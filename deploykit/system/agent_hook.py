"""Start a program as the CodeDeploy agent starts a hook, and read what it says for as long as the agent would.

Unlike :mod:`commands` this is meant to be as careless as the agent is: pipes that a background child may hold, one
TERM and no KILL (version 1), output that is lost when the time is over.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Iterator, List, Mapping, Optional, Tuple

if TYPE_CHECKING:
    import subprocess

UMASK = 0o022
_CHUNK = 65536
_LOOK = 0.02  # seconds between two looks at the leader while nothing is said

Hear = Callable[[str, bytes], bool]


@dataclass(frozen=True)
class Hook:
    """A program to start. words: its argument list; without a ``/`` the first is sought in PATH of ``environment``.

    sh_otherwise: run it by /bin/sh when the kernel does not know its format. no_stdin: /dev/null in the place of a pipe that is
    closed at once. grace: seconds from TERM to KILL of the group; None: no KILL, but a wait for the leader without an end.
    """

    words: Tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    timeout: float
    sh_otherwise: bool = False
    no_stdin: bool = False
    grace: Optional[float] = None


@dataclass(frozen=True)
class Ended:
    """How it ended. kind: ``exited`` (status, negative for a signal), ``timed out``, ``left open`` or ``unheard`` (stream says
    which of stdout and stderr is still held by somebody, or was given up by ``hear``), ``not started`` (number is errno)."""

    kind: str
    status: int = 0
    stream: str = ""
    number: int = 0
    seconds: float = 0.0


@dataclass
class _Stream:
    """One pipe of the program: what came and is no whole line yet, and whether anybody still listens."""

    name: str
    end: int
    rest: bytes = b""
    closed: bool = False
    deaf: bool = field(default=False)

    def close(self) -> None:
        if not self.closed:
            os.close(self.end)
            self.closed = True


def play(hook: Hook, hear: Hear) -> Ended:
    """Run the program to its end, or to the end of the agent's patience.

    hear gets the stream's name and each line with its line end, in the order in which they come; when it returns False
    nobody reads that stream any more. An interrupted caller takes the program's whole group along.
    """
    began = time.monotonic()
    streams: List[_Stream] = []
    try:
        child = _start(hook, streams)
    except OSError as error:
        _close(streams)
        return Ended("not started", number=error.errno or 0)
    try:
        ended = _attend(child, streams, hook, began + hook.timeout, hear)
    except BaseException:
        _signal_group(child.pid, signal.SIGKILL)
        child.wait()
        raise
    finally:
        _close(streams)
    return Ended(ended.kind, ended.status, ended.stream, seconds=time.monotonic() - began)


def _start(hook: Hook, streams: List[_Stream]) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as theirs:
        descriptors = [_stdin(hook, theirs)]
        for name in ("stdout", "stderr"):
            ours, end = os.pipe()
            theirs.callback(os.close, end)
            streams.append(_Stream(name, ours))
            descriptors.append(end)
        try:
            return _spawn(hook.words, hook, descriptors)
        except OSError as error:
            if error.errno != 8 or not hook.sh_otherwise:  # ENOEXEC
                raise
        return _spawn(("/bin/sh", *hook.words), hook, descriptors)


def _stdin(hook: Hook, theirs: contextlib.ExitStack) -> int:
    if hook.no_stdin:
        end = os.open(os.devnull, os.O_RDONLY)
    else:
        end, ours = os.pipe()
        os.close(ours)
    theirs.callback(os.close, end)
    return end


def _spawn(words: Tuple[str, ...], hook: Hook, descriptors: List[int]) -> subprocess.Popen[bytes]:
    import subprocess

    # A group of its own in our session: start_new_session would be another thing, process_group= came with Python 3.11.
    return subprocess.Popen(
        list(words),
        stdin=descriptors[0],
        stdout=descriptors[1],
        stderr=descriptors[2],
        cwd=hook.folder,
        env=dict(hook.environment),
        umask=UMASK,
        preexec_fn=os.setpgrp,  # noqa: PLW1509 - there are no threads here
    )


def _attend(child: subprocess.Popen[bytes], streams: List[_Stream], hook: Hook, until: float, hear: Hear) -> Ended:
    while child.poll() is None:
        left = until - time.monotonic()
        if left <= 0:
            _time_is_over(child, streams, hook)
            return Ended("timed out")
        _hear_some(streams, min(left, _LOOK), hear)
    for stream in streams:
        while not stream.closed and not stream.deaf:
            left = until - time.monotonic()
            if not _hear_some(streams, max(min(left, _LOOK), 0), hear) and left <= 0:
                return Ended("left open", stream=stream.name)
        if stream.deaf:
            return Ended("unheard", stream=stream.name)
    return Ended("exited", status=child.returncode)


def _hear_some(streams: List[_Stream], seconds: float, hear: Hear) -> bool:
    """Wait so long for something to be said and pass it on; False when nothing was."""
    listened = {stream.end: stream for stream in streams if not stream.closed and not stream.deaf}
    if not listened:
        time.sleep(seconds)
        return False
    poll = select.poll()
    for end in listened:
        poll.register(end, select.POLLIN)
    ready = [listened[end] for end, _ in poll.poll(seconds * 1000)]
    for stream in ready:
        _hear_one(stream, hear)
    return bool(ready)


def _hear_one(stream: _Stream, hear: Hear) -> None:
    chunk = os.read(stream.end, _CHUNK)
    lines = _lines(stream.rest + chunk, last=not chunk)
    stream.rest = b""
    for line, whole in lines:
        if not whole:
            stream.rest = line
        elif not hear(stream.name, line):
            stream.deaf = True
            return
    if not chunk:
        stream.close()


def _lines(text: bytes, last: bool) -> Iterator[Tuple[bytes, bool]]:
    """Each line, and whether it is whole; the last of a stream is, even without a line end."""
    *lines, rest = text.split(b"\n")
    for line in lines:
        yield line + b"\n", True
    if rest:
        yield rest, last


def _time_is_over(child: subprocess.Popen[bytes], streams: List[_Stream], hook: Hook) -> None:
    import subprocess

    _signal_group(child.pid, signal.SIGTERM)
    _close(streams)  # what the program says from now on is lost, and may kill it by SIGPIPE
    try:
        child.wait(hook.grace)
    except subprocess.TimeoutExpired:
        _signal_group(child.pid, signal.SIGKILL)
        child.wait()


def _close(streams: List[_Stream]) -> None:
    for stream in streams:
        stream.close()


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
