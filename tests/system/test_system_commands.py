from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, List

import pytest

from deploykit.system import commands, processes
from deploykit.system.port import CommandResult

SH = "/bin/sh"
RUNNERS = [commands.ask, commands.command]
Run = Callable[..., CommandResult]


@pytest.mark.parametrize("run", RUNNERS)
class TestBoth:
    def test_output_is_stdout_and_stderr_in_their_order(self, run: Run) -> None:
        result = run((SH, "-c", "echo one; echo two >&2; echo three"), 10)
        assert (result.status, result.output) == (0, "one\ntwo\nthree\n")

    @pytest.mark.parametrize(("script", "status"), [("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
    def test_status_is_a_shells(self, run: Run, script: str, status: int) -> None:
        assert run((SH, "-c", script), 10).status == status

    def test_what_is_not_there_or_not_executable(self, run: Run, tmp_path: Path) -> None:
        missing = run(("no-such-program-here", "x"), 10)
        assert (missing.status, missing.output) == (127, "no-such-program-here: not found")
        assert run((f"{tmp_path}/none",), 10).status == 127
        broken = tmp_path / "broken"
        broken.write_bytes(b"\0\1\2")
        broken.chmod(0o755)
        assert run((str(broken),), 10).status == 126

    def test_arguments_arrive_as_they_are(self, run: Run) -> None:
        odd = ("", "a b", "*", "$HOME", "-x=y", "é", "'", "None", "a\nb")
        shown = run((sys.executable, "-S", "-c", "import sys; print(ascii(sys.argv[1:]))", *odd), 20)
        assert shown.output == ascii(list(odd)) + "\n"

    def test_the_child_reads_nothing_has_no_terminal_and_its_own_group(self, run: Run) -> None:
        result = run((SH, "-c", "cat; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none; cut -d' ' -f5 /proc/$$/stat; echo $$"), 10)
        none, group, pid = result.output.split()
        assert none == "none"
        assert group == pid

    def test_path_is_set_when_it_is_missing(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PATH", raising=False)
        monkeypatch.setenv("DK_OTHER", "kept")
        assert run(("sh", "-c", "echo $PATH $DK_OTHER"), 10).output == f"{commands.PATH} kept\n"

    def test_output_that_is_not_utf8_is_replaced(self, run: Run) -> None:
        assert run((SH, "-c", "printf 'a\\377b'"), 10).output == "a\ufffdb"

    def test_a_flood_keeps_its_end(self, run: Run) -> None:
        output = run((SH, "-c", "yes | head -c 3000000; echo end"), 20).output
        assert output.endswith("end\n")
        assert len(output) == commands.LARGEST_OUTPUT

    def test_the_whole_group_ends_at_the_limit(self, run: Run, tmp_path: Path) -> None:
        began = time.monotonic()
        result = run((SH, "-c", f"sleep 60 & echo $! > {tmp_path}/pid; echo said; wait"), 0.3)
        assert (result.status, result.output) == (124, "said\n")
        assert time.monotonic() - began < 10
        assert gone(int((tmp_path / "pid").read_text()))

    def test_a_daemon_that_holds_the_output_keeps_nobody_waiting(self, run: Run, tmp_path: Path) -> None:
        began = time.monotonic()
        script = f"setsid sh -c 'echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60' & "
        result = run((SH, "-c", script + f"while [ ! -s {tmp_path}/pid ]; do sleep 0.01; done; echo up"), 10)
        pid = int((tmp_path / "pid").read_text())
        try:
            assert (result.status, result.output) == (0, "up\n")
            assert time.monotonic() - began < 8
            assert processes.running(pid)
        finally:
            os.kill(pid, signal.SIGKILL)

    def test_no_descriptor_is_left_open(self, run: Run) -> None:
        run(("true",), 10)
        before = os.listdir("/proc/self/fd")
        for _ in range(5):
            run(("true",), 10)
        assert os.listdir("/proc/self/fd") == before


def test_lines_are_said_as_they_come() -> None:
    said: List[tuple[str, float]] = []
    began = time.monotonic()
    script = "echo one; printf half; sleep 1; echo ' line'; printf 'no end'"
    result = commands.command((SH, "-c", script), 10, lambda line: said.append((line, time.monotonic() - began)))
    assert [line for line, _ in said] == ["one", "half line", "no end"]
    assert said[0][1] < said[1][1]
    assert result.output == "one\nhalf line\nno end"


def test_the_group_may_tidy_up_at_the_limit_and_is_killed_when_it_does_not(tmp_path: Path) -> None:
    script = f"trap 'echo tidy > {tmp_path}/tidy; exit 0' TERM; sleep 60 & wait"
    assert commands.command((SH, "-c", script), 0.3).status == 124
    assert (tmp_path / "tidy").read_text() == "tidy\n"
    stubborn = f"trap '' TERM; echo $$ > {tmp_path}/pid; sleep 60"
    assert commands.command((SH, "-c", stubborn), 0.3).status == 124
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_is_left_in_the_group_ends_with_the_command(tmp_path: Path) -> None:
    result = commands.command((SH, "-c", f"sleep 60 & echo $! > {tmp_path}/pid"), 10)
    assert result.status == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_an_interruption_ends_the_group_and_goes_on(tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commands.command((SH, "-c", f"echo $$ > {tmp_path}/pid; echo up; sleep 60"), 10, interrupt)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_daemon_started_so_still_hears_sighup() -> None:
    ignored = commands.command((SH, "-c", "grep SigIgn /proc/self/status"), 10).output.split()[1]
    assert int(ignored, 16) & 1 << (signal.SIGHUP - 1) == 0


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys, deploykit.system.commands as c, deploykit.system.http, deploykit.system.processes; c.ask(['true'], 5)\n"
    )
    heavy = "print(sorted({'sh', 'psutil', 'http.client', 'ssl', 'asyncio'} & set(sys.modules)))"
    root = str(Path(commands.__file__).parents[2])
    told = subprocess.run([sys.executable, "-c", script + heavy], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while processes.running(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return processes.running(pid) is None
