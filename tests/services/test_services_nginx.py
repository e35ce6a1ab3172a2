from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import Iterator

import pytest
from support.services import Stack, needs_services

from deploykit.errors import Failed
from deploykit.services import nginx, supervisor

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as started:
        yield started


def reload(stack: Stack) -> None:
    before = nginx.generation(stack.nginx, stack.machine)
    supervisor.reload(stack.nginx, stack.machine)
    nginx.prove(stack.nginx, stack.machine, before)


def test_the_generation_is_the_master_and_its_workers(stack: Stack) -> None:
    now = nginx.generation(stack.nginx, stack.machine)
    assert now.master
    assert now.master.title.startswith("nginx: master process")
    assert [worker.title for worker in now.workers] == ["nginx: worker process"] * 2


def test_a_good_reload_is_proved_and_all_workers_are_younger_than_the_files(stack: Stack) -> None:
    before = nginx.generation(stack.nginx, stack.machine)
    stack.write_site("two")
    changed_at = stack.machine.newest_change(stack.nginx.writable)
    assert not nginx.loaded_after(stack.nginx, stack.machine, changed_at)
    reload(stack)
    now = nginx.generation(stack.nginx, stack.machine)
    assert now.master == before.master
    assert now.is_after(before)
    assert not before.is_after(before)
    assert stack.get("/").body == b"two"
    assert nginx.loaded_after(stack.nginx, stack.machine, changed_at)
    assert not nginx.loaded_after(stack.nginx, stack.machine, time.time() + 1)


def test_an_address_in_use_is_named_and_the_old_configuration_serves(stack: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack.write_site("two")
        stack.write_site("other", name="other", port=port)
        with pytest.raises(Failed) as failed:
            reload(stack)
    assert f"[emerg] bind() to 127.0.0.1:{port} failed (98: Address already in use)" in failed.value.message
    assert failed.value.message.count("[emerg]") == 1
    assert "still serves the old one" in failed.value.hint
    assert stack.get("/").body == b"one"


def test_a_syntax_error_is_named_with_its_place(stack: Stack) -> None:
    path = stack.write("etc/nginx/conf.d/bad.conf", "nonsense on;\n")
    with pytest.raises(Failed, match=r"unknown directive \"nonsense\"") as failed:
        reload(stack)
    assert f"{path}:1" in failed.value.message
    assert stack.get("/").body == b"one"


def test_an_emergency_of_an_earlier_reload_is_not_taken_for_one_of_this(stack: Stack) -> None:
    stack.write("etc/nginx/conf.d/bad.conf", "nonsense on;\n")
    with pytest.raises(Failed, match="nonsense"):
        reload(stack)
    stack.remove("etc/nginx/conf.d/bad.conf")
    reload(stack)


def test_a_reload_that_nobody_asked_for_is_not_proved(stack: Stack) -> None:
    before = nginx.generation(stack.nginx, stack.machine)
    with pytest.raises(Failed, match=r"old workers still serve after 0\.3 s"):
        nginx.prove(stack.nginx, stack.machine, before, 0.3)


def test_a_master_that_is_gone_is_told(stack: Stack) -> None:
    before = nginx.generation(stack.nginx, stack.machine)
    stack.kill(stack.nginx)
    with pytest.raises(Failed, match="not running any more"):
        nginx.prove(stack.nginx, stack.machine, before, 0.3)
    assert nginx.loaded_after(stack.nginx, stack.machine, time.time())  # nothing runs that has not read its files


def test_an_old_worker_with_a_long_request_proves_the_reload_but_is_not_drained(stack: Stack) -> None:
    before = nginx.generation(stack.nginx, stack.machine)
    asking = threading.Thread(target=stack.get, args=("/page.php?ms=2000",))
    asking.start()
    time.sleep(0.3)
    reload(stack)
    assert not nginx.drained(stack.nginx, stack.machine, before, 0.2)
    asking.join()
    assert nginx.drained(stack.nginx, stack.machine, before, 5)


def test_a_worker_that_crashed_is_replaced_and_the_others_still_tell_the_truth(stack: Stack) -> None:
    changed_at = stack.machine.wall_clock()
    os.kill(nginx.generation(stack.nginx, stack.machine).workers[0].pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while len(nginx.generation(stack.nginx, stack.machine).workers) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert not nginx.loaded_after(stack.nginx, stack.machine, changed_at)


def test_emergencies_are_told_once_without_time_and_number() -> None:
    lines = (
        "2026/11/24 18:14:00 [notice] 1#1: signal 1",
        "2026/11/24 18:14:00 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "2026/11/24 18:14:01 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "2026/11/24 18:14:02 [emerg] 7#7: still could not bind()",
    )
    assert nginx.emergencies(lines) == ("[emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",)
    assert nginx.emergencies(lines[3:]) == ("[emerg] still could not bind()",)
    assert nginx.emergencies(lines[:1]) == ()


def test_a_trial_names_commands_and_pid_file(stack: Stack) -> None:
    trial = nginx.trial(stack.nginx)
    assert trial.test == (stack.nginx.binary, "-t", "-c", stack.nginx.main)
    assert trial.pid_file == stack.nginx.pid_file
    assert stack.machine.ask(trial.test).status == 0
