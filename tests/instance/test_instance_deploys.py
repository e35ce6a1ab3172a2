"""Deployments that go well, on a machine with a real systemd: services are reloaded, never restarted, and only when needed."""

from __future__ import annotations

from typing import Any

import pytest
from support.instance.agent import Agent
from support.instance.bundle import CHECKOUT
from support.instance.load import LoadFromOutside
from support.instance.machine import Machine
from support.instance.services import both

pytestmark = [pytest.mark.instance, pytest.mark.services, pytest.mark.root]

POOL = "config_templates/php-fpm/pool.d/webapp.conf.j2"
SITE = "config_templates/nginx/conf.d/webapp.conf.j2"
SLOW = ("/var/www/webapp/public/slow.php", "<?php usleep(100000); echo 'slow';\n")
HEALTHY = f"ok webapp {(CHECKOUT / 'app/VERSION').read_text(encoding='utf-8').strip()} (staging)\n"


def test_the_first_deployment_takes_over_from_the_distributions_site(agent: Agent, machine: Machine) -> None:
    before = both(machine)
    status, page = machine.get("/")
    assert (status, "Welcome to nginx" in page) == (200, True)

    for event, ended in agent.deploy().items():
        assert ended.status == 0, f"{event}: {ended.output}"

    assert machine.get() == (200, HEALTHY)
    assert machine.get("/assets/app.css")[0] == 200
    for service, then in zip(both(machine), before):
        assert (service.active, service.restarts, service.master) == ("active", 0, then.master)
        assert not service.children & then.children


def test_the_same_hook_again_writes_nothing_and_reloads_nothing(deployed: Agent, machine: Machine) -> None:
    revision = deployed.installed()
    assert deployed.hook("AfterInstall", revision).status == 0
    before, written = both(machine), machine.disk.written()

    again = deployed.hook("AfterInstall", revision)

    assert (again.status, "nothing changed since it was proved" in again.output) == (0, True)
    assert machine.disk.written() == written
    assert both(machine) == before


def test_a_new_deployment_of_the_same_content_touches_no_configuration(agent: Agent, machine: Machine) -> None:
    agent.deploy()
    before, written = both(machine), machine.disk.written()

    for event, ended in agent.deploy().items():
        assert ended.status == 0, f"{event}: {ended.output}"

    now = machine.disk.written()
    assert {path: now[path] for path in now if path.startswith("/etc/")} == etc(written)
    assert both(machine) == before


def etc(written: dict[str, Any]) -> dict[str, Any]:
    return {path: seen for path, seen in written.items() if path.startswith("/etc/")}


def test_a_changed_template_is_served_by_new_workers_of_the_same_masters(deployed: Agent, machine: Machine) -> None:
    before = both(machine)
    edits = {
        SITE: ("expires 1h;", "expires 2h;\n        add_header X-Revision two;"),
        POOL: ("request_terminate_timeout = 35s", "request_terminate_timeout = 36s"),
    }

    for event, ended in deployed.deploy(edits).items():
        assert ended.status == 0, f"{event}: {ended.output}"

    for service, then in zip(both(machine), before):
        assert (service.active, service.restarts, service.master) == ("active", 0, then.master)
        assert service.children
        assert not service.children & then.children
    assert machine.get()[0] == 200


def test_only_the_service_whose_file_changed_is_reloaded(deployed: Agent, machine: Machine) -> None:
    nginx, php = both(machine)
    for event, ended in deployed.deploy({SITE: ("expires 1h;", "expires 2h;")}).items():
        assert ended.status == 0, f"{event}: {ended.output}"
    now = both(machine)
    assert not now[0].children & nginx.children
    assert now[1] == php


def test_a_socket_moves_under_load_and_no_request_fails(deployed: Agent, machine: Machine) -> None:
    machine.write(*SLOW)
    moved = {
        "app/public/slow.php": ("", SLOW[1]),
        SITE: ("/webapp.sock", "/moved.sock"),
        POOL: ("/webapp.sock", "/moved.sock"),
        "deploykit.yml": ("}}/webapp.sock", "}}/moved.sock"),
    }
    revision = deployed.installed(moved)
    with LoadFromOutside(machine, "/slow.php", expect="slow") as load:
        ended = deployed.hook("AfterInstall", revision)
    assert ended.status == 0, ended.output
    assert load.failures == {}
    assert load.answers > 20
    sockets = machine.look("ls", "/run/php").split()
    assert "moved.sock" in sockets
    assert "webapp.sock" not in sockets
    assert not [name for name in machine.look("sh", "-c", "ls /etc/php/*/fpm/pool.d").split() if "bridge" in name]


def test_the_same_client_sees_what_a_restart_loses(deployed: Agent, machine: Machine) -> None:
    machine.write(*SLOW)
    with LoadFromOutside(machine, "/slow.php", expect="slow") as load:
        machine.look("sh", "-c", "systemctl restart php*-fpm.service nginx.service")
    assert sum(load.failures.values()) > 4


@pytest.mark.parametrize("units", ["nginx", "php*-fpm.service", "nginx php*-fpm.service"])
def test_services_that_do_not_run_are_started(agent: Agent, machine: Machine, units: str) -> None:
    machine.look("sh", "-c", f"systemctl stop {units}")
    ended = agent.deploy()
    assert {event: one.status for event, one in ended.items()} == dict.fromkeys(ended, 0), ended
    assert [service.active for service in both(machine)] == ["active", "active"]
    assert machine.get()[0] == 200


def test_it_comes_back_after_a_reboot(deployed: Agent, machine: Machine) -> None:
    assert machine.reboot() == "running"
    assert machine.get() == (200, HEALTHY)
    before = both(machine)
    for event, ended in deployed.deploy().items():
        assert ended.status == 0, f"{event}: {ended.output}"
    assert both(machine) == before
