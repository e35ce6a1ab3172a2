"""A deployment that is cut off in the middle of its switch, by SIGKILL or by the power: what is there, and what comes next?

A machine that boots with half of the new files may not serve, and nginx may not even start: two files that each declare
the default server, say. Whatever it boots with, the next run of any kind has to make it whole.
"""

from __future__ import annotations

import time
from typing import Iterable, List

import pytest
from support.instance.agent import Agent, Revision
from support.instance.machine import Machine
from support.instance.services import both

pytestmark = [pytest.mark.instance, pytest.mark.services, pytest.mark.root]

POOL = "config_templates/php-fpm/pool.d/webapp.conf.j2"
SITE = "config_templates/nginx/conf.d/webapp.conf.j2"
MOVED = {  # two files that must change together: with one of them alone every page is a 502
    SITE: ("/webapp.sock", "/moved.sock"),
    POOL: ("/webapp.sock", "/moved.sock"),
    "deploykit.yml": ("}}/webapp.sock", "}}/moved.sock"),
}
FIRST, SECOND, RECORD, PROVED = 2, 3, 4, 6  # renames of that deployment: 1 is the journal's own, 5 says that it is done


def hangs(agent: Agent, revision: Revision, number: int) -> None:
    """Run AfterInstall as far as its rename of that number, and cut the power there."""
    machine = agent.machine
    hook = agent.begin_with_fault("AfterInstall", revision, f"rename#{number}", "touch /run/here; exec sleep 60")
    until = time.monotonic() + 30
    while machine.look("ls", "/run/here") != "/run/here":
        assert hook.poll() is None, machine.finish(hook).output
        assert time.monotonic() < until
        time.sleep(0.02)
    machine.cut_power()
    machine.finish(hook)


def make_whole(agent: Agent, revision: Revision, events: Iterable[str] = ("AfterInstall",)) -> None:
    for event in (*events, "ApplicationStart", "ValidateService"):
        ended = agent.hook(event, revision)
        assert ended.status == 0, f"{event}: {ended.output}"


def leftovers(machine: Machine) -> List[str]:
    found = [path for path in machine.files("/etc/nginx", "/etc/php") if "deploykit-" in path]
    return found + [
        path
        for path in machine.files("/var/lib/deploykit")
        if path.endswith(("/journal", "/stamp.new")) and "history" not in path
    ]


@pytest.mark.parametrize("number", [SECOND, PROVED])
def test_power_is_cut_and_the_deployment_is_tried_again(deployed: Agent, machine: Machine, number: int) -> None:
    revision = deployed.installed(MOVED)
    hangs(deployed, revision, number)
    machine.boot()
    make_whole(deployed, revision)
    assert machine.get()[0] == 200
    assert "moved.sock" in machine.look("ls", "/run/php").split()
    assert leftovers(machine) == []


@pytest.mark.parametrize("number", [SECOND, RECORD, PROVED])
def test_power_is_cut_and_the_next_deployment_is_refused(deployed: Agent, machine: Machine, number: int) -> None:
    """All old, or all new where it was proved already; either way it is what the services serve."""
    old = machine.files("/etc/nginx", "/etc/php")
    hangs(deployed, deployed.installed(MOVED), number)
    machine.boot()
    broken = deployed.installed({SITE: ("expires 1h;", "expirez 1h;")})
    ended = deployed.hook("AfterInstall", broken)
    assert ended.status == 3, ended.output
    assert machine.get()[0] == 200
    sockets = machine.look("ls", "/run/php").split()
    if number < PROVED:
        assert machine.files("/etc/nginx", "/etc/php") == old
        assert "webapp.sock" in sockets
    else:
        assert "moved.sock" in sockets
    assert leftovers(machine) == []


def test_nginx_did_not_come_up_with_half_of_the_first_deployment(agent: Agent, machine: Machine) -> None:
    """The new site is there, the distribution's is not gone yet, and both want to be the default server."""
    revision = agent.installed()
    hangs(agent, revision, SECOND)
    assert machine.boot() == "degraded"
    assert both(machine)[0].active == "failed"
    make_whole(agent, revision)
    assert machine.get()[0] == 200
    assert machine.look("systemctl", "is-system-running") == "running"


@pytest.mark.parametrize("number", [FIRST, RECORD])
def test_killed_in_the_switch_it_serves_on_and_is_repaired(deployed: Agent, machine: Machine, number: int) -> None:
    before = both(machine)
    revision = deployed.installed(MOVED)
    ended = deployed.hook_with_fault("AfterInstall", revision, f"rename#{number}", "kill -9 $PPID")
    assert ended.status != 0
    assert machine.get()[0] == 200
    assert both(machine) == before
    make_whole(deployed, revision)
    assert "moved.sock" in machine.look("ls", "/run/php").split()
    assert [service.master for service in both(machine)] == [service.master for service in before]
    assert leftovers(machine) == []


@pytest.mark.parametrize("word", ["reload php", "reload nginx"])
def test_killed_at_a_reload(deployed: Agent, machine: Machine, word: str) -> None:
    revision = deployed.installed(MOVED)
    ended = deployed.hook_with_fault("AfterInstall", revision, f"command systemctl {word}", "kill -9 $PPID")
    assert ended.status != 0
    assert machine.get()[0] == 200
    broken = deployed.installed({SITE: ("expires 1h;", "expirez 1h;")})
    assert deployed.hook("AfterInstall", broken).status == 3
    assert machine.get()[0] == 200
    assert "webapp.sock" in machine.look("ls", "/run/php").split()
    assert leftovers(machine) == []
