"""One run at a time: the lock goes with its holder, and says who that is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import pytest

from deploykit.errors import LockHeld
from deploykit.system.lock import Lock, make_home

TOP = Path(__file__).parents[2]
HOLDING = """
import sys, time
sys.path.insert(0, sys.argv[1])
from deploykit.system.lock import Lock
with Lock(sys.argv[2], "AfterInstall of deployment d-1", 10.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


@pytest.fixture
def holder(path: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its stdin ends."""
    argv = [sys.executable, "-c", HOLDING, str(TOP), path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_told_who_is_at_work(path: str, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockHeld) as held, Lock(path, "other", 0.0):
        pass
    assert held.value.message == f"another deploykit is at work: pid {holder.pid}, AfterInstall of deployment d-1"
    assert held.value.status == 75
    assert "deploy again" in held.value.hint


def test_a_second_run_waits_its_turn(path: str, holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    with pytest.raises(LockHeld), Lock(path, "impatient", 0.2):
        pass
    holder.stdin.close()
    with Lock(path, "patient", 20.0):
        assert Path(path).read_text() == f"pid {os.getpid()}, patient\n"


def test_a_holder_that_was_killed_never_blocks(path: str, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert f"pid {holder.pid}" in Path(path).read_text()  # what it said is still there
    began = time.monotonic()
    with Lock(path, "next", 0.0):
        assert time.monotonic() - began < 5
        assert Path(path).read_text() == f"pid {os.getpid()}, next\n"


def test_it_is_given_back_at_the_end_and_after_an_error(path: str) -> None:
    with pytest.raises(ZeroDivisionError), Lock(path, "one", 0.0):
        raise ZeroDivisionError
    for _ in range(2):
        with Lock(path, "two", 0.0):
            pass


def test_what_a_run_starts_does_not_keep_it(path: str) -> None:
    with Lock(path, "one", 0.0):
        child = subprocess.Popen(["sleep", "600"], close_fds=False)
    try:
        with Lock(path, "two", 0.0):
            pass
    finally:
        child.kill()
        child.wait()


def test_nobody_else_may_read_it_and_a_link_is_not_followed(path: str, tmp_path: Path) -> None:
    with Lock(path, "one", 0.0):
        assert os.stat(path).st_mode & 0o777 == 0o600
    (tmp_path / "victim").write_text("theirs")
    (tmp_path / "link").symlink_to("victim")
    with pytest.raises(OSError, match="symbolic links"), Lock(str(tmp_path / "link"), "one", 0.0):
        pass
    assert (tmp_path / "victim").read_text() == "theirs"


def test_a_shorter_holder_replaces_a_longer_one(path: str) -> None:
    for holder in ("a very long description of an event of a deployment", "short"):
        with Lock(path, holder, 0.0):
            pass
    assert Path(path).read_text() == f"pid {os.getpid()}, short\n"


def test_the_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "var/lib/deploykit"
    for _ in range(2):
        make_home(str(home))
    assert (home.stat().st_mode & 0o777, home.parent.stat().st_mode & 0o700) == (0o700, 0o700)
