"""A forked child that works for us, tells us what it sees over a pipe, and cannot outlive us.

Messages are tuples of plain values, in Python's own ``marshal`` form: both ends are the same interpreter, and it costs
no import. What a started service inherits never includes the pipe (close-on-exec).
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import os
import select
import signal
import time
from typing import Any, Callable, Iterator, List, Mapping, Optional, Protocol, Tuple

Message = Tuple[Any, ...]


class DiesWithParent(Protocol):
    """What a child needs of the kernel."""

    def die_with_parent(self) -> None:
        """See ``namespace.Kernel``."""
        ...


class Channel:
    """The child's end: tell the parent something, or ask it something."""

    def __init__(self, read_end: int, write_end: int) -> None:
        self._read_end = read_end
        self._write_end = write_end

    def tell(self, *message: object) -> None:
        """Send one message; its first word says what it is."""
        _send(self._write_end, message)

    def ask(self, *message: object) -> Any:
        """Send one message and wait for the parent's reply."""
        self.tell(*message)
        for reply in _messages(self._read_end, None):
            return reply[0]
        os._exit(1)  # the parent is gone

    def guard(self, work: Callable[[], None]) -> None:
        """Run ``work`` and end this process, whatever happens: nothing may return into the caller's stack."""
        try:
            work()
        except BaseException as why:  # even SystemExit must not unwind into the program that was forked
            self.tell("crash", f"{type(why).__name__}: {why}")
        finally:
            os._exit(0)


class Heard:
    """What a child told until it ended (``over``), or until its time was over (``overdue``)."""

    def __init__(self) -> None:
        self.messages: List[Message] = []
        self.over = False
        self.overdue = False

    def all(self, word: str) -> List[Message]:
        """The messages that begin with ``word``, without it."""
        return [message[1:] for message in self.messages if message[0] == word]


def conduct(
    work: Callable[[Channel], None],
    seconds: float,
    kernel: DiesWithParent,
    replies: Optional[Mapping[str, Callable[[Any], object]]] = None,
) -> Heard:
    """Run ``work(channel)`` in a child for at most ``seconds`` and return what it told.

    replies: for each word that the child asks with, the function that answers, here in the parent.
    When this returns or raises, the child and all that it started are gone.
    """
    deadline = time.monotonic() + seconds
    (here_read, there_write), (there_read, here_write) = os.pipe(), os.pipe()
    parent, heard = os.getpid(), Heard()
    pid = os.fork()
    if pid == 0:
        _settle(parent, kernel, (there_read, there_write))
        channel = Channel(there_read, there_write)
        channel.guard(lambda: work(channel))
    try:
        os.close(there_read)
        os.close(there_write)
        _listen(heard, here_read, here_write, deadline, replies or {})
    finally:
        _end(pid, heard)
        os.close(here_read)
        os.close(here_write)
    return heard


def _listen(heard: Heard, here: int, there: int, deadline: float, replies: Mapping[str, Callable[[Any], object]]) -> None:
    try:
        for message in _messages(here, deadline):
            if message[0] in replies:
                _send(there, (replies[message[0]](message[1]),))
            else:
                heard.messages.append(message)
        heard.over = True
    except TimeoutError:
        heard.overdue = True
    except BrokenPipeError:
        pass  # it died while it waited for our reply


def _settle(parent: int, kernel: DiesWithParent, keep: Tuple[int, int]) -> None:
    """Become a quiet child: no collector, no handlers, no files or locks of the program's."""
    try:
        gc.disable()  # a collected file object would close a number that is ours by now
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        kernel.die_with_parent()
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
        _close_all_but(keep)
        os.chdir("/")
        os.umask(0o022)
    except BaseException:
        os._exit(1)


def _close_all_but(keep: Tuple[int, int]) -> None:
    first, second = sorted(keep)
    for low, high in ((3, first), (first + 1, second), (second + 1, 4096)):
        os.closerange(low, high)
    nothing = os.open("/dev/null", os.O_RDWR)
    for number in range(3):  # else whoever reads our output would wait for the services that the child starts
        os.dup2(nothing, number)
    os.close(nothing)


def _end(pid: int, heard: Heard) -> None:
    """See to it that the child is gone, and before it the first one of its PID namespace with all the others in there."""
    if _gone(pid, 0.5 if heard.over else 0.0):
        return
    for first in heard.all("first"):
        _kill(first[0])
        if _gone(pid, 2.0):
            return
    _kill(pid)
    _gone(pid, 10.0)


def _gone(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.002)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _send(end: int, message: Message) -> None:
    raw = marshal.dumps(message)
    raw = len(raw).to_bytes(4, "little") + raw
    while raw:
        raw = raw[os.write(end, raw) :]


def _messages(end: int, deadline: Optional[float]) -> Iterator[Message]:
    """Messages until the other end is closed; TimeoutError at ``deadline`` (seconds of the monotonic clock)."""
    buffer = b""
    while True:
        size = 4 + int.from_bytes(buffer[:4], "little")
        if len(buffer) >= 4 and len(buffer) >= size:
            yield marshal.loads(buffer[4:size])
            buffer = buffer[size:]
            continue
        _wait_for(end, deadline)
        chunk = os.read(end, 65536)
        if not chunk:
            return
        buffer += chunk


def _wait_for(end: int, deadline: Optional[float]) -> None:
    if deadline is None:
        return
    left = deadline - time.monotonic()
    if left <= 0 or not select.select([end], [], [], left)[0]:
        raise TimeoutError
