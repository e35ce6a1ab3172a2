from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import pytest

from deploykit.system import processes

SLEEPS = "import sys, time; print('up', flush=True); time.sleep(60)"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-S", "-c", SLEEPS, "a b", "c) R"], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        started.stdout.readline()
        yield started
        started.kill()


def test_a_process_has_a_number_a_start_and_a_title(child: subprocess.Popen[str]) -> None:
    found = processes.running(child.pid)
    assert found
    assert found.pid == child.pid
    assert found.title.endswith("a b c) R")
    up = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 <= up - found.started / os.sysconf("SC_CLK_TCK") < 60


def test_a_dead_one_and_a_zombie_are_not_there(child: subprocess.Popen[str]) -> None:
    child.kill()
    until = time.monotonic() + 5
    while processes.running(child.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert Path(f"/proc/{child.pid}").exists()  # not waited for yet
    assert processes.running(child.pid) is None
    assert child.pid not in [one.pid for one in processes.children(os.getpid())]
    child.wait()
    assert processes.running(child.pid) is None


def test_a_name_with_blanks_and_parentheses_confuses_nobody(tmp_path: Path) -> None:
    odd = tmp_path / "x) S (1 2"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "60"]) as started:
        try:
            until = time.monotonic() + 5
            while "x) S" not in getattr(processes.running(started.pid), "title", "") and time.monotonic() < until:
                time.sleep(0.01)
            found = processes.running(started.pid)
            assert found
            assert found.started > 0
            assert started.pid in processes._children_by_scan(os.getpid())
        finally:
            started.kill()


@pytest.mark.parametrize("content", ["", "\n", "abc", "-1", "0", "999999999", "1 2"])
def test_a_pid_file_without_a_live_process_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    assert processes.master(f"{tmp_path}/pid") is None
    assert processes.master(f"{tmp_path}/none") is None


def test_a_pid_file_names_its_process(tmp_path: Path, child: subprocess.Popen[str]) -> None:
    (tmp_path / "pid").write_text(f"{child.pid}\n")
    found = processes.master(f"{tmp_path}/pid")
    assert found == processes.running(child.pid)


def test_children_are_found_by_the_kernels_list_and_by_a_scan(child: subprocess.Popen[str]) -> None:
    listed = [one.pid for one in processes.children(os.getpid())]
    assert child.pid in listed
    assert listed == sorted(listed)
    assert child.pid in processes._children_by_scan(os.getpid())
    assert processes.children(child.pid) == ()
    assert processes.children(999999999) == ()


def test_memory_of_a_worker_in_steps_of_8_mib(child: subprocess.Popen[str]) -> None:
    small = processes.worker_memory_mb([child.pid, 999999999])
    assert small % 8 == 0
    assert 8 <= small <= 64
    assert processes.worker_memory_mb([]) == 0
    assert processes.worker_memory_mb([999999999]) == 0


def test_the_size_of_the_machine() -> None:
    size = processes.measure([])
    assert size["cores"] == os.cpu_count()
    total = int(Path("/proc/meminfo").read_text().split()[1]) >> 10
    assert abs(size["memory_mb"] - total) <= 1
    assert size["worker_mb"] == 0
