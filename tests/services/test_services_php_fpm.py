from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest
from support.services import Stack, needs_services

from deploykit.errors import Failed
from deploykit.services import php_fpm, supervisor

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as started:
        yield started


def reload(stack: Stack) -> None:
    before = php_fpm.generation(stack.php, stack.machine)
    supervisor.reload(stack.php, stack.machine)
    php_fpm.prove(stack.php, stack.machine, before)


def test_the_generation_is_the_master_and_its_children(stack: Stack) -> None:
    now = php_fpm.generation(stack.php, stack.machine)
    assert now.master
    assert now.master.title.startswith("php-fpm: master process")
    assert len(now.workers) == 3
    assert now.pid_written == Path(stack.php.pid_file).stat().st_mtime_ns


def test_a_good_reload_is_proved_and_read_after_the_files(stack: Stack) -> None:
    before = php_fpm.generation(stack.php, stack.machine)
    stack.write_pool(more="pm.max_children = 2\n")
    changed_at = stack.machine.newest_change(stack.php.writable)
    assert not php_fpm.loaded_after(stack.php, stack.machine, changed_at)
    reload(stack)
    now = php_fpm.generation(stack.php, stack.machine)
    assert now.is_after(before)
    assert not before.is_after(before)
    assert php_fpm.loaded_after(stack.php, stack.machine, changed_at)
    assert not php_fpm.loaded_after(stack.php, stack.machine, time.time() + 1)
    assert stack.get("/page.php?name=x").body == b"page of x\n"


@pytest.mark.parametrize(
    "more", ["pm = ondemand\n", "pm = dynamic\npm.start_servers = 1\npm.min_spare_servers = 1\npm.max_spare_servers = 2\n"]
)
def test_pools_of_every_kind_are_proved(stack: Stack, more: str) -> None:
    stack.write_pool(more=more)
    reload(stack)
    reload(stack)
    assert stack.get("/page.php").status == 200


def test_pools_are_added_and_removed(stack: Stack) -> None:
    address = f"{stack.php.run}/two.sock"
    stack.write_pool("two", address)
    reload(stack)
    assert serves_pools(stack, "www", "two")
    stack.remove(f"{stack.pool_folder}/two.conf")
    reload(stack)
    assert serves_pools(stack, "www")
    assert not Path(address).exists()


def serves_pools(stack: Stack, *names: str) -> bool:
    """Are there children of just these pools, once each has a title of its own?"""
    wanted = {f"php-fpm: pool {name}" for name in names}
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if {worker.title for worker in php_fpm.generation(stack.php, stack.machine).workers} == wanted:
            return True
        time.sleep(0.01)
    return False


def test_children_that_were_replaced_under_the_old_configuration_prove_nothing(stack: Stack) -> None:
    before = php_fpm.generation(stack.php, stack.machine)
    changed_at = stack.machine.wall_clock()
    for worker in before.workers:
        os.kill(worker.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while len(php_fpm.generation(stack.php, stack.machine).workers) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    assert not php_fpm.loaded_after(stack.php, stack.machine, changed_at)
    with pytest.raises(Failed, match=r"not finished its reload after 0\.3 s"):
        php_fpm.prove(stack.php, stack.machine, before, 0.3)


BROKEN = {
    "unknown key": ("bogus = 1\n", "unknown entry 'bogus'"),
    "chdir": ("chdir = /nonexistent\n", "the chdir path '/nonexistent' does not exist"),
    "listen folder": (
        "[two]\nuser = www-data\nlisten = /nonexistent/x.sock\npm = static\npm.max_children = 1\n",
        "/nonexistent/x.sock",
    ),
    "slow log": ("slowlog = /nonexistent/x.log\nrequest_slowlog_timeout = 1s\n", "/nonexistent/x.log"),
}


@pytest.mark.parametrize("fault", list(BROKEN))
def test_a_broken_pool_kills_it_and_the_old_file_revives_it(stack: Stack, fault: str) -> None:
    more, words = BROKEN[fault]
    stack.write_pool(more=more)
    with pytest.raises(Failed, match="did not take the new configuration and is dead") as failed:
        reload(stack)
    assert words in failed.value.message
    assert stack.php.error_log in failed.value.hint
    assert stack.get("/page.php").status == 502
    assert not supervisor.is_running(stack.php, stack.machine)
    with pytest.raises(Failed, match="cannot be reloaded"):
        supervisor.reload(stack.php, stack.machine)
    stack.write_pool()
    supervisor.revive(stack.php, stack.machine)
    assert stack.get("/page.php").status == 200


def test_a_tcp_address_in_use_kills_it_too(stack: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stack.write_pool(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Failed, match="Address already in use"):
            reload(stack)


def test_a_request_in_progress_ends_before_the_reload_is_proved(stack: Stack) -> None:
    bodies: list[bytes] = []
    asking = threading.Thread(target=lambda: bodies.append(stack.get("/page.php?ms=1500&name=slow").body))
    asking.start()
    time.sleep(0.3)
    reload(stack)
    asking.join()
    assert bodies == [b"page of slow\n"]


def test_complaints_leave_out_what_only_repeats() -> None:
    lines = (
        "[24-Nov-2026 18:14:00] NOTICE: Reloading in progress ...",
        "[24-Nov-2026 18:14:00] ERROR: [/etc/php/8.2/fpm/pool.d/www.conf:9] unknown entry 'bogus'",
        "[24-Nov-2026 18:14:00] ERROR: failed to load configuration file '/etc/php/8.2/fpm/php-fpm.conf'",
        "[24-Nov-2026 18:14:00] ERROR: FPM initialization failed",
    )
    assert php_fpm.complaints(lines) == ("ERROR: [/etc/php/8.2/fpm/pool.d/www.conf:9] unknown entry 'bogus'",)
    assert php_fpm.complaints(lines[3:]) == ("ERROR: FPM initialization failed",)
    assert php_fpm.complaints(lines[:1]) == ()


def test_the_grace_comes_from_the_main_file(stack: Stack) -> None:
    assert php_fpm.control_timeout(stack.php, stack.machine) == 5
    os.unlink(stack.php.main)
    assert php_fpm.control_timeout(stack.php, stack.machine) == 0
