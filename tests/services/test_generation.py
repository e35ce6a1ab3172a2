from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from support.services import real_machine

from deploykit.model import Service
from deploykit.services import generation


def service(folder: Path, name: str = "nginx") -> Service:
    return Service(name, str(folder), "", f"{folder}/pid", f"{folder}/log", "nobody", writable=(str(folder),))


def test_a_pid_file_that_names_another_program_is_no_master(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "pid").write_text(str(other.pid))
        while not Path(f"/proc/{other.pid}/cmdline").read_bytes():
            time.sleep(0.001)  # the new program is there a moment before its title
        assert generation.master(service(tmp_path), real_machine()) is None
        assert generation.look(service(tmp_path), real_machine(), "").workers == ()
        assert generation.master(service(tmp_path, "sleep"), real_machine()) is not None
        other.kill()


def test_a_process_began_when_it_was_started() -> None:
    machine = real_machine()
    before = time.time()
    with subprocess.Popen(["sleep", "60"]) as child:
        after = time.time()
        found = next(one for one in machine.children(os.getpid()) if one.pid == child.pid)
        assert before - 0.03 <= generation.began(found, machine) <= after + 0.03
        child.kill()


def test_the_log_is_read_from_where_it_was_and_whole_when_it_was_rotated(tmp_path: Path) -> None:
    machine = real_machine()
    assert generation.log_since(service(tmp_path), machine, 0) == ()
    log = tmp_path / "log"
    log.write_text("one\ntwo\n")
    assert generation.log_since(service(tmp_path), machine, 0) == ("one", "two")
    assert generation.log_since(service(tmp_path), machine, 4) == ("two",)
    assert generation.log_since(service(tmp_path), machine, 8) == ()
    assert generation.log_since(service(tmp_path), machine, 100) == ("one", "two")


def test_looks_go_on_until_the_time_is_over_and_look_once_more() -> None:
    machine = real_machine()
    began = time.monotonic()
    left = list(generation.looks(machine, 0.2))
    assert time.monotonic() - began >= 0.2
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0.0
    assert len(left) > 3
    assert list(generation.looks(machine, 0.0)) == [0.0]


def test_files_are_given_time_to_be_clearly_older(tmp_path: Path) -> None:
    machine = real_machine()
    (tmp_path / "x").write_text("")
    generation.let_files_age(service(tmp_path), machine)
    assert machine.wall_clock() - machine.newest_change([str(tmp_path)]) >= 2 * generation.CLEARLY
    began = time.monotonic()
    generation.let_files_age(service(tmp_path), machine)
    assert time.monotonic() - began < 1
