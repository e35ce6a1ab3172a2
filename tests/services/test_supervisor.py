from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import Callable, Dict, Tuple

import pytest
from support.services import Stack, needs_services
from support.told_machine import Told, ToldMachine

from deploykit.errors import Failed
from deploykit.model import Service
from deploykit.services import supervisor

pytestmark = [pytest.mark.services, needs_services()]

Argv = Tuple[str, ...]


def test_start_stop_and_ensure_without_a_supervisor() -> None:
    with Stack(start=False) as stack:
        for service in (stack.php, stack.nginx):
            assert not supervisor.is_running(service, stack.machine)
            supervisor.stop(service, stack.machine)  # nothing to stop
            assert supervisor.ensure_running(service, stack.machine) is True
            assert supervisor.ensure_running(service, stack.machine) is False
        assert stack.get("/page.php").status == 200
        for service in (stack.nginx, stack.php):
            supervisor.stop(service, stack.machine)
            assert not supervisor.is_running(service, stack.machine)
        assert stack.get("/").status == 0


def test_stop_lets_a_request_end_and_cuts_it_when_it_takes_too_long() -> None:
    with Stack() as stack:
        bodies: list[bytes] = []
        asking = threading.Thread(target=lambda: bodies.append(stack.get("/page.php?ms=700").body))
        asking.start()
        time.sleep(0.2)
        supervisor.stop(stack.nginx, stack.machine)
        asking.join()
        assert bodies == [b"page of nobody\n"]
        supervisor.start(stack.nginx, stack.machine)
        asking = threading.Thread(target=stack.get, args=("/page.php?ms=9000",))
        asking.start()
        time.sleep(0.2)
        supervisor.stop(stack.nginx, stack.machine, 0.2)
        asking.join()
        assert not supervisor.is_running(stack.nginx, stack.machine)


def test_a_start_that_fails_says_why() -> None:
    with Stack(start=False) as stack:
        stack.write_pool(more="bogus = 1\n")
        with pytest.raises(Failed, match=r"php-fpm does not start: .*bogus"):
            supervisor.start(stack.php, stack.machine)
        stack.write("etc/nginx/conf.d/bad.conf", "nonsense;\n")
        with pytest.raises(Failed, match=r"nginx does not start: .*nonsense"):
            supervisor.start(stack.nginx, stack.machine)
        with pytest.raises(Failed, match="not installed"):
            supervisor.start(replace(stack.nginx, binary=""), stack.machine)


class TestUnderSystemd:
    """The commands that systemd would get; what they do is done here by signals, as the units of Debian do it."""

    def machine(self, stack: Stack, service: Service, **deeds: Callable[[], int]) -> ToldMachine:
        known: Dict[Argv, Callable[[], int]] = {
            ("systemctl", verb.replace("_", "-"), service.unit): deed for verb, deed in deeds.items()
        }
        return ToldMachine(Told(deeds=known))

    def test_reload_goes_through_systemctl_and_is_proved_all_the_same(self) -> None:
        with Stack() as stack:
            for found, number in ((stack.nginx, signal.SIGHUP), (stack.php, signal.SIGUSR2)):
                service = replace(found, supervisor="systemd")

                def hang_up(service: Service = service, number: int = number) -> int:
                    os.kill(stack.machine.master(service.pid_file).pid, number)  # type: ignore[union-attr]
                    return 0

                machine = self.machine(stack, service, reload=hang_up)
                before = supervisor.now(service, machine)
                supervisor.reload(service, machine)
                supervisor.prove(service, machine, before)
                assert machine.commanded == [("systemctl", "reload", service.unit)]

    def test_status_0_of_systemctl_proves_nothing(self) -> None:
        with Stack() as stack:
            service = replace(stack.nginx, supervisor="systemd")
            machine = self.machine(stack, service, reload=lambda: 0)
            before = supervisor.now(service, machine)
            supervisor.reload(service, machine)
            with pytest.raises(Failed, match="did not take"):
                supervisor.prove(service, machine, before, 0.3)

    def test_a_reload_that_systemctl_refuses(self) -> None:
        with Stack(start=False) as stack:
            service = replace(stack.php, supervisor="systemd")
            with pytest.raises(Failed, match=f"systemctl reload {service.unit}: what it said") as failed:
                supervisor.reload(service, self.machine(stack, service, reload=lambda: 1))
            assert "journalctl" in failed.value.hint

    def test_a_dead_service_is_reset_and_started(self) -> None:
        with Stack(start=False) as stack:
            service = replace(stack.php, supervisor="systemd")

            def start() -> int:
                supervisor.start(stack.php, stack.machine)
                return 0

            machine = self.machine(stack, service, reset_failed=lambda: 1, start=start)
            supervisor.revive(service, machine)
            assert [argv[1] for argv in machine.commanded] == ["reset-failed", "start"]
            supervisor.revive(service, machine)
            assert len(machine.commanded) == 2

    def test_a_start_that_fails_says_what_the_services_own_test_says(self) -> None:
        with Stack(start=False) as stack:
            stack.write_pool(more="bogus = 1\n")
            service = replace(stack.php, supervisor="systemd")
            machine = self.machine(stack, service, reset_failed=lambda: 0, start=lambda: 1)
            with pytest.raises(Failed, match="bogus") as failed:
                supervisor.start(service, machine)
            assert f"journalctl -u {service.unit}" in failed.value.hint

    def test_a_start_that_leaves_nothing_behind_is_no_start(self) -> None:
        with Stack(start=False) as stack:
            service = replace(stack.php, supervisor="systemd")
            with pytest.raises(Failed, match="did not stay up"):
                supervisor.start(service, self.machine(stack, service, reset_failed=lambda: 0, start=lambda: 0))

    def test_stop(self) -> None:
        with Stack(start=False) as stack:
            service = replace(stack.nginx, supervisor="systemd")
            machine = self.machine(stack, service, stop=lambda: 0)
            supervisor.stop(service, machine)
            assert machine.commanded == [("systemctl", "stop", service.unit)]
            with pytest.raises(Failed, match="systemctl stop"):
                supervisor.stop(service, self.machine(stack, service, stop=lambda: 1))
