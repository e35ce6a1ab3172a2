from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest
from support.services import Stack, needs_services, real_machine
from support.told_machine import Told, ToldMachine

from deploykit.stages.gather import gather

SHOW = ("systemctl", "show", "--property=Id,LoadState", "nginx.service", "php8.2-fpm.service")
VERSION = ("/usr/sbin/nginx", "-v")
BOTH = Told(
    tools=("/usr/sbin/nginx",),
    folders={"/usr/sbin": ("nginx", "php-fpm8.2"), "/run/systemd/system": ()},
    files={"/proc/sys/kernel/hostname": b"web-1\n"},
    answers={
        VERSION: "nginx version: nginx/1.22.1\n",
        SHOW: "Id=nginx.service\nLoadState=loaded\n\nId=php8.2-fpm.service\nLoadState=loaded\n",
    },
)


def supervisors(settings: Dict[str, Dict[str, str]], prefix: str, machine: ToldMachine) -> Dict[str, str]:
    return {name: service.supervisor for name, service in gather(settings, prefix, machine).services.items()}


def test_both_are_asked_about_at_once_and_supervised_by_systemd() -> None:
    machine = ToldMachine(BOTH)
    assert supervisors({}, "", machine) == {"nginx": "systemd", "php-fpm": "systemd"}
    assert machine.asked == [VERSION, SHOW]


def test_below_a_prefix_nobody_supervises_and_systemd_is_not_asked() -> None:
    machine = ToldMachine(BOTH)
    assert supervisors({"nginx": {"supervisor": "systemd"}}, "/tmp/none", machine) == {"nginx": "plain", "php-fpm": "plain"}
    assert machine.asked == [VERSION]


def test_a_supervisor_that_is_set_is_not_asked_about() -> None:
    machine = ToldMachine(BOTH)
    settings = {"nginx": {"supervisor": "plain"}, "php-fpm": {"supervisor": "systemd"}}
    assert supervisors(settings, "", machine) == {"nginx": "plain", "php-fpm": "systemd"}
    assert machine.asked == [VERSION]


def test_values_of_a_told_machine() -> None:
    values = gather({}, "", ToldMachine(BOTH)).values
    assert values["hostname"] == "web-1"
    assert (values["nginx_version"], values["php_version"]) == ("1.22.1", "8.2")
    assert values["assumed"] == []
    assert values["is_root"] == (os.geteuid() == 0)


def test_what_is_not_installed_is_assumed_aloud() -> None:
    machine = ToldMachine(Told(files=BOTH.files))
    facts = gather({}, "", machine)
    assert facts.values["assumed"] == [
        "nginx is not installed: the layout of Debian is assumed",
        "php-fpm is not installed: the layout of Debian with PHP 8.2 is assumed",
    ]
    assert facts.values["php_version"] == "8.2"
    assert facts.values["nginx_version"] == ""
    assert machine.asked == []


def test_the_machine_itself(tmp_path: Path) -> None:
    facts = gather({}, str(tmp_path), real_machine())
    assert facts == gather({}, str(tmp_path), real_machine())
    assert facts.values["cores"] >= 1
    assert facts.values["memory_mb"] > 100
    assert facts.values["php_worker_mb"] == 0
    assert facts.values["prefix"] == str(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.services
@needs_services()
def test_a_live_worker_is_measured() -> None:
    with Stack() as stack:
        stack.get("/page.php")
        size = gather({}, stack.prefix, stack.machine).values["php_worker_mb"]
    assert size % 8 == 0
    assert 8 <= size <= 128


def test_it_is_cheap(tmp_path: Path) -> None:
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from deploykit.stages.gather import gather; from deploykit.system.real import RealMachine\n"
        "from deploykit.system.signals import Watch\n"
        "machine = RealMachine('', [], {}, '', Watch(1.0)); began = time.process_time(); gather({}, sys.argv[2], machine)\n"
        "print(time.process_time() - began)"
    )
    root = str(Path(__file__).parents[2])
    told = subprocess.run([sys.executable, "-c", script, root, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(told.stdout) < 0.5  # 0.03 as a rule
