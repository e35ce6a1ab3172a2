"""Run other programs, in two ways: :func:`ask` those that only tell, :func:`command` those that change something.

Both give the child an own process group, /dev/null to read from and a nameless file to write to. A file, not a pipe:
a daemon that keeps it open keeps nobody waiting, and nothing has to be read while the program runs. A child never holds
our own stdout, which the CodeDeploy agent waits for.
"""

from __future__ import annotations

import os
import signal
import time
from typing import IO, TYPE_CHECKING, Any, Callable, Dict, Optional, Sequence, Tuple

from deploykit.system.port import CommandResult

if TYPE_CHECKING:
    import subprocess

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LARGEST_OUTPUT = 1 << 20
GRACE = 2.0  # seconds between TERM and KILL
LEAVE = 1.0  # seconds for a new daemon to leave the group of the program that started it


def ask(argv: Sequence[str], seconds: float) -> CommandResult:
    """Run a program that only tells; stdout and stderr together are the output (its last MiB, UTF-8 or replaced).

    Status as a shell's: 124 when it took longer than ``seconds`` and its whole group was killed, 126 when it cannot be
    executed, 127 when there is none, 128 + signal. Never raises for a program that fails.
    """
    import subprocess

    with _output() as output:
        try:
            child = subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment(), start_new_session=True
            )
        except OSError as error:
            return _cannot_run(argv, error)
        status = None
        try:
            status = _wait(child, seconds)
        finally:
            if status is None:
                _signal_group(child.pid, signal.SIGKILL)
                child.wait()
        return CommandResult(_status(status), _tail(output))


def command(argv: Sequence[str], seconds: float, say: Optional[Callable[[str], None]] = None) -> CommandResult:
    """Run a program that changes something; ``say`` gets each line of its output as it comes.

    As :func:`ask`, but at ``seconds``, and when we are interrupted ourselves, its group first gets TERM and two seconds
    to tidy up. What it left running in its group ends with it, too; a daemon in a session of its
    own stays.
    """
    with _output() as output:
        try:
            child = _spawn(argv, output)
        except OSError as error:
            return _cannot_run(argv, error)
        status = None
        try:
            status, heard = _follow(child, output, seconds, say)
        finally:
            if status is None or not _is_empty_within(child.pid, LEAVE):
                _end_group(child.pid, child.is_alive)
        _say_lines(output, heard, say, last=True)
        return CommandResult(_status(status), _tail(output))


def _follow(child: Any, output: IO[bytes], seconds: float, say: Optional[Callable[[str], None]]) -> Tuple[Optional[int], int]:
    """(exit code or None when it still runs at ``seconds``, how far its output was passed on)."""
    heard = 0
    pause = 0.001
    until = time.monotonic() + seconds
    alive, status = child.is_alive()
    while alive and time.monotonic() < until:
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
        alive, status = child.is_alive()
        heard = _say_lines(output, heard, say, last=False)
    return (None if alive else status), heard


def _spawn(argv: Sequence[str], output: IO[bytes]) -> Any:
    """Start a program by ``sh``, whose own waiting, pipes and threads are not used: they know neither groups nor daemons."""
    import sh  # 60 ms that only a change needs

    env = _environment()
    options: Dict[str, Any] = {
        "_bg": 1,  # True would also make the child, and every daemon it starts, deaf to SIGHUP
        "_bg_exc": False,
        "_decode_errors": "replace",
        "_env": env,
        "_err_to_out": True,
        "_new_group": True,
        "_out": output,
        "_tty_out": False,
    }
    try:
        program: Any = sh.Command(argv[0], search_paths=env["PATH"].split(":"))
        with open(os.devnull, "rb") as nothing:
            return program(*argv[1:], _in=nothing, **options).process
    except sh.CommandNotFound as error:
        raise FileNotFoundError(str(error)) from error
    except sh.ForkException as error:
        raise PermissionError(str(error).strip().splitlines()[-1]) from error


def _cannot_run(argv: Sequence[str], error: OSError) -> CommandResult:
    if isinstance(error, FileNotFoundError):
        return CommandResult(127, f"{argv[0]}: not found")
    return CommandResult(126, f"{argv[0]}: {error.strerror or error}")


def _environment() -> Dict[str, str]:
    """The caller's own; the CodeDeploy agent may have started us without a PATH."""
    env = dict(os.environ)
    env["PATH"] = env.get("PATH") or PATH
    return env


def _output() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("output"), "w+b", buffering=0)
    import tempfile  # a C library older than 2.27

    return tempfile.TemporaryFile(buffering=0)


def _tail(output: IO[bytes]) -> str:
    size = os.fstat(output.fileno()).st_size
    start = max(0, size - LARGEST_OUTPUT)
    return os.pread(output.fileno(), size - start, start).decode("utf-8", "replace")


def _say_lines(output: IO[bytes], heard: int, say: Optional[Callable[[str], None]], last: bool) -> int:
    """Pass on what was written since ``heard``, whole lines only until the last time; return how far we have heard."""
    size = os.fstat(output.fileno()).st_size
    if say is None or size == heard:
        return heard
    text = os.pread(output.fileno(), size - heard, heard)
    whole = text if last else text[: text.rfind(b"\n") + 1]
    for line in whole.splitlines():
        say(line.decode("utf-8", "replace"))
    return heard + len(whole)


def _wait(child: subprocess.Popen[bytes], seconds: float) -> Optional[int]:
    """Return code, or None when it still runs after ``seconds``. A pid descriptor wakes us at once; else we look often."""
    import select
    import subprocess

    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):  # Linux older than 5.3
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return child.wait() if poll.poll(seconds * 1000) else None
    finally:
        os.close(descriptor)


def _end_group(group: int, reap: Callable[[], object]) -> None:
    """End what is left of a process group: TERM, then KILL. reap collects its first process when that has ended."""
    _signal_group(group, signal.SIGTERM)
    if not _is_empty_within(group, GRACE, reap):
        _signal_group(group, signal.SIGKILL)
        _is_empty_within(group, GRACE, reap)


def _is_empty_within(group: int, seconds: float, reap: Callable[[], object] = lambda: None) -> bool:
    until = time.monotonic() + seconds
    reap()
    while _signal_group(group, 0):
        if time.monotonic() >= until:
            return False
        time.sleep(0.01)
        reap()
    return True


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _status(code: Optional[int]) -> int:
    if code is None:
        return 124
    return 128 - code if code < 0 else code
