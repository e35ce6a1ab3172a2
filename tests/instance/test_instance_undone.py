"""Deployments that go wrong: refused before anything is live, or undone although systemctl says that all is well."""

from __future__ import annotations

import time
from typing import Callable, Dict, Tuple

import pytest
from support.instance.agent import Agent
from support.instance.bundle import CHECKOUT
from support.instance.machine import Machine, Result
from support.instance.services import both, php_unit

pytestmark = [pytest.mark.instance, pytest.mark.services, pytest.mark.root]

POOL = "config_templates/php-fpm/pool.d/webapp.conf.j2"
SITE = "config_templates/nginx/conf.d/webapp.conf.j2"
SECOND_PORT = {SITE: ("server_name {{ server_name }};", "server_name {{ server_name }};\n    listen 8081;")}
RELOADS_NGINX = "command systemctl reload nginx"
RELOADS_PHP = "command systemctl reload php"
SQUATTER = (
    "systemd-run --quiet --unit=squatter python3 -m http.server 8081;"
    " until ss -Hltn 'sport = :8081' | grep -q LISTEN; do sleep 0.05; done"
)
BREAKS_POOL = "for pool in /etc/php/*/fpm/pool.d/webapp.conf; do echo 'nonsense = on' >>$pool; done"
Edits = Dict[str, Tuple[str, str]]

REFUSED: Dict[str, Tuple[str, str, str, str]] = {  # the template, the text in it, the text in its place, what is said
    "a directive that nginx does not know": (SITE, "expires 1h;", "expirez 1h;", "unknown directive"),
    "a page that no pool answers": (SITE, "}}/webapp.sock", "}}/nobody.sock", "/nobody.sock: no such file"),
    "a key that php-fpm does not know": (POOL, "pm.max_children", "pm.max_childrenn", "unknown entry"),
    "an account that is not there": (POOL, "user = {{ php_fpm.user }}", "user = nobody-here", "cannot get uid"),
    "a socket in a folder that is not there": (POOL, "}}/webapp.sock", "}}/nowhere/webapp.sock", "No such file"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_wrong_is_refused_before_anything_is_live(deployed: Agent, machine: Machine, fault: str) -> None:
    before, files = both(machine), machine.files("/etc/nginx", "/etc/php")
    template, text, wrong, said = REFUSED[fault]
    line = (CHECKOUT / template).read_text(encoding="utf-8").partition(text)[0].count("\n") + 1
    revision = deployed.download({template: (text, wrong)})
    for event in ("BeforeInstall", "AfterInstall"):
        ended = deployed.hook(event, revision)
        assert ended.status == 3, ended.output
        assert said in ended.output
        assert f"{template}:{line}: " in ended.output
    assert machine.files("/etc/nginx", "/etc/php") == files
    assert both(machine) == before
    assert machine.get()[0] == 200


def test_an_address_that_somebody_else_holds_is_refused(deployed: Agent, machine: Machine) -> None:
    before, files = both(machine), machine.files("/etc/nginx", "/etc/php")
    machine.look("sh", "-c", SQUATTER)
    ended = deployed.hook("BeforeInstall", deployed.download(SECOND_PORT))
    assert (ended.status, "8081" in ended.output) == (3, True), ended.output
    assert machine.files("/etc/nginx", "/etc/php") == files
    assert both(machine) == before


def undone(agent: Agent, edits: Edits, when: str, shell: str) -> Result:
    """Deploy with something happening at the reload: it fails, all files are as before, and the site is there."""
    machine = agent.machine
    files = machine.files("/etc/nginx", "/etc/php")
    ended = agent.hook_with_fault("AfterInstall", agent.installed(edits), when, shell)
    assert ended.status == 1, ended.output
    assert "undone: " in ended.output
    assert machine.files("/etc/nginx", "/etc/php") == files
    assert machine.get()[0] == 200
    return ended


def test_an_address_is_taken_between_check_and_reload(deployed: Agent, machine: Machine) -> None:
    before = both(machine)
    ended = undone(deployed, SECOND_PORT, RELOADS_NGINX, SQUATTER)
    assert "bind() to 0.0.0.0:8081 failed" in ended.output
    assert [service.master for service in both(machine)] == [service.master for service in before]


def test_a_log_folder_is_gone_between_check_and_reload(deployed: Agent, machine: Machine) -> None:
    machine.look("mkdir", "/var/log/webapp")
    log = {SITE: ("expires 1h;", "expires 1h;\n        access_log /var/log/webapp/assets.log;")}
    ended = undone(deployed, log, RELOADS_NGINX, "rm -r /var/log/webapp")
    assert "/var/log/webapp/assets.log" in ended.output


def test_a_shared_zone_gets_another_key(deployed: Agent, machine: Machine) -> None:
    zone = "limit_req_zone {} zone=clients:1m rate=100r/s;\n\nserver {{"
    for event, ended in deployed.deploy({SITE: ("\nserver {", zone.format("$binary_remote_addr"))}).items():
        assert ended.status == 0, f"{event}: {ended.output}"
    before, files = both(machine), machine.files("/etc/nginx", "/etc/php")
    revision = deployed.installed({SITE: ("\nserver {", zone.format("$server_name"))})
    ended = deployed.hook("AfterInstall", revision)
    assert ended.status in (1, 3), ended.output
    assert "clients" in ended.output
    assert machine.files("/etc/nginx", "/etc/php") == files
    assert machine.get()[0] == 200
    assert both(machine)[0].master == before[0].master


def test_a_unit_that_only_signals_says_yes_to_everything(deployed: Agent, machine: Machine) -> None:
    drop_in = "[Service]\nExecReload=\nExecReload=/bin/kill -HUP $MAINPID\n"
    machine.write("/etc/systemd/system/nginx.service.d/signal.conf", drop_in)
    machine.look("systemctl", "daemon-reload")
    edits = {SITE: ("expires 1h;", "expires 2h;")}
    ended = undone(deployed, edits, RELOADS_NGINX, "echo 'nonsense on;' >>/etc/nginx/conf.d/webapp.conf")
    assert 'unknown directive "nonsense"' in ended.output


def test_a_reload_that_kills_php_fpm(deployed: Agent, machine: Machine) -> None:
    before = both(machine)
    edits = {POOL: ("request_terminate_timeout = 35s", "request_terminate_timeout = 36s")}
    ended = undone(deployed, edits, RELOADS_PHP, BREAKS_POOL)
    assert "nonsense" in ended.output
    nginx, php = both(machine)
    assert (php.active, php.master == before[1].master) == ("active", False)
    assert nginx.master == before[0].master
    assert machine.look("systemctl", "is-active", php_unit(machine)) == "active"
    assert machine.look("systemctl", "is-system-running") == "running"


def test_a_start_limit_does_not_keep_php_fpm_down(deployed: Agent, machine: Machine) -> None:
    """systemd refuses to start what it has started as often as it may, unless it is told to forget that."""
    drop_in = "[Unit]\nStartLimitIntervalSec=10min\nStartLimitBurst=1\n[Service]\nRestart=no\n"
    machine.write(f"/etc/systemd/system/{php_unit(machine)}.d/limit.conf", drop_in)
    machine.look("sh", "-c", f"systemctl daemon-reload && systemctl restart {php_unit(machine)}")
    edits = {POOL: ("request_terminate_timeout = 35s", "request_terminate_timeout = 36s")}
    undone(deployed, edits, RELOADS_PHP, BREAKS_POOL)
    assert both(machine)[1].active == "active"


def test_the_agent_asks_it_to_stop(deployed: Agent, machine: Machine) -> None:
    """SIGTERM to the process group, as both agents send it: 5 s later the newer one kills."""
    before, files = both(machine), machine.files("/etc/nginx", "/etc/php")
    never = '      url: "http://127.0.0.1:{{ port }}/"\n      body: never-there\n      rehearse: false\n      within: 60s\n'
    edits = {
        "deploykit.yml": ("probes:\n", f"probes:\n  - http:\n{never}"),
        SITE: ("expires 1h;", "expires 2h;"),
        POOL: ("request_terminate_timeout = 35s", "request_terminate_timeout = 36s"),
    }
    revision = deployed.installed(edits)
    hook = deployed.begin("AfterInstall", revision, unit="hook")
    wait_for(lambda: not both(machine)[0].children & before[0].children)
    main = machine.look("systemctl", "show", "--property=MainPID", "--value", "hook.service")
    asked = time.monotonic()
    machine.look("kill", "-TERM", "--", f"-{main}")
    ended = machine.finish(hook)
    assert time.monotonic() - asked < 4
    assert ended.status == 130, ended.output
    assert "undone: " in ended.output
    assert machine.files("/etc/nginx", "/etc/php") == files
    assert machine.get()[0] == 200
    assert [service.master for service in both(machine)] == [service.master for service in before]


def wait_for(happens: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
