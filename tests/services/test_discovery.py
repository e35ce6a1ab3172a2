from __future__ import annotations

from dataclasses import fields, replace
from typing import Dict

import pytest
from support.told_machine import Told, ToldMachine

from deploykit.model import Service
from deploykit.services import discovery

DEBIAN = Told(
    tools=("/usr/sbin/nginx",),
    folders={"/usr/sbin": ("nginx", "php-fpm7.4", "php-fpm8.10", "php-fpm8.2", "phpenmod"), "/etc/php/8.10/fpm": ()},
    accounts={"www-data": 33},
    answers={("/usr/sbin/nginx", "-v"): "nginx version: nginx/1.22.1\n"},
)
AMAZON = Told(
    tools=("/usr/sbin/nginx", "/usr/sbin/php-fpm"),
    folders={"/usr/sbin": ("nginx", "php-fpm")},
    accounts={"nginx": 995, "apache": 48},
    answers={
        ("/usr/sbin/nginx", "-v"): "nginx version: nginx/1.26.3 (Amazon)\n",
        ("/usr/sbin/php-fpm", "-v"): "PHP 8.3.10 (fpm-fcgi) (built: Jul 30 2026 14:15:48)\n",
    },
)
NOTHING = Told()


def test_debian() -> None:
    machine = ToldMachine(DEBIAN)
    assert discovery.nginx({}, "", machine) == Service(
        name="nginx",
        root="/etc/nginx",
        main="/etc/nginx/nginx.conf",
        pid_file="/run/nginx.pid",
        error_log="/var/log/nginx/error.log",
        user="www-data",
        binary="/usr/sbin/nginx",
        version="1.22.1",
        unit="nginx.service",
        run="/run",
        writable=("/etc/nginx",),
    )
    assert discovery.php_fpm({}, "", machine) == Service(
        name="php-fpm",
        root="/etc/php/8.10/fpm",
        main="/etc/php/8.10/fpm/php-fpm.conf",
        pid_file="/run/php/php8.10-fpm.pid",
        error_log="/var/log/php8.10-fpm.log",
        user="www-data",
        binary="/usr/sbin/php-fpm8.10",
        version="8.10",
        unit="php8.10-fpm.service",
        socket="/run/php/php8.10-fpm.sock",
        run="/run/php",
        writable=("/etc/php/8.10/fpm",),
    )
    assert machine.said == {"/usr/sbin/nginx": 1}  # php-fpm's version is in its name


def test_amazon_linux() -> None:
    machine = ToldMachine(AMAZON)
    assert discovery.nginx({}, "", machine).user == "nginx"
    assert discovery.php_fpm({}, "", machine) == Service(
        name="php-fpm",
        root="/etc",
        main="/etc/php-fpm.conf",
        pid_file="/run/php-fpm/php-fpm.pid",
        error_log="/var/log/php-fpm/error.log",
        user="nginx",
        binary="/usr/sbin/php-fpm",
        version="8.3",
        unit="php-fpm.service",
        socket="/run/php-fpm/www.sock",
        run="/run/php-fpm",
        folders=(("pool.d", "php-fpm.d"), ("conf.d", "php.d")),
        writable=("/etc/php-fpm.conf", "/etc/php-fpm.d", "/etc/php.d"),
    )


def test_a_program_without_a_version_in_debians_layout() -> None:
    told = Told(
        tools=("/usr/bin/php-fpm",),
        folders={"/etc/php/8.1/fpm": ()},
        answers={("/usr/bin/php-fpm", "-v"): "PHP 8.1.2 (fpm-fcgi)\n"},
    )
    found = discovery.php_fpm({}, "", ToldMachine(told))
    assert (found.root, found.binary, found.version) == ("/etc/php/8.1/fpm", "/usr/bin/php-fpm", "8.1")


def test_nothing_installed_is_debian_with_php_8_2() -> None:
    machine = ToldMachine(NOTHING)
    php, nginx = discovery.php_fpm({}, "", machine), discovery.nginx({}, "", machine)
    assert not php.installed
    assert not nginx.installed
    assert (php.version, php.root, php.socket) == ("", "/etc/php/8.2/fpm", "/run/php/php8.2-fpm.sock")
    assert machine.asked == []


@pytest.mark.parametrize("told", [DEBIAN, AMAZON, NOTHING])
@pytest.mark.parametrize("name", ["nginx", "php-fpm"])
def test_every_path_lies_below_the_prefix_and_programs_do_not(told: Told, name: str) -> None:
    find = discovery.nginx if name == "nginx" else discovery.php_fpm
    plain, below = find({}, "", ToldMachine(told)), find({}, "/srv/root", ToldMachine(told))
    for field in discovery.PATHS:
        path = getattr(plain, field)
        assert getattr(below, field) == (f"/srv/root{path}" if path else "")
    assert below.writable == tuple(f"/srv/root{path}" for path in plain.writable)
    assert below.binary == plain.binary


@pytest.mark.parametrize("told", [DEBIAN, AMAZON, NOTHING])
@pytest.mark.parametrize("name", ["nginx", "php-fpm"])
def test_settings_override_every_field(told: Told, name: str) -> None:
    find = discovery.nginx if name == "nginx" else discovery.php_fpm
    settings: Dict[str, str] = {field: f"/opt/{field}" for field in discovery.FIELDS}
    assert find(settings, "", ToldMachine(told)).binary == "", "a program that is not there"
    found = find(settings, "", ToldMachine(replace(told, tools=(*told.tools, "/opt/binary"))))
    assert {field: getattr(found, field) for field in discovery.FIELDS} == settings
    assert {f.name for f in fields(Service)} == {"name", "folders", "writable", *discovery.FIELDS}


def test_settings_that_others_depend_on() -> None:
    machine = ToldMachine(DEBIAN)
    old = discovery.php_fpm({"version": "7.4"}, "", machine)
    assert (old.root, old.unit, old.socket) == ("/etc/php/7.4/fpm", "php7.4-fpm.service", "/run/php/php7.4-fpm.sock")
    assert discovery.php_fpm({"run": "/run/x"}, "", machine).pid_file == "/run/x/php8.10-fpm.pid"
    moved = discovery.nginx({"root": "/opt/nginx/conf"}, "/p", machine)
    assert (moved.main, moved.writable) == ("/p/opt/nginx/conf/nginx.conf", ("/p/opt/nginx/conf",))
    assert discovery.nginx({"root": "/p/etc/nginx"}, "/p", machine).main == "/p/etc/nginx/nginx.conf"


def test_a_version_chooses_its_program() -> None:
    told = Told(tools=("/usr/sbin/php-fpm7.4", "/usr/sbin/php-fpm8.10"), folders=DEBIAN.folders)
    assert discovery.php_fpm({"version": "7.4"}, "", ToldMachine(told)).binary == "/usr/sbin/php-fpm7.4"


SHOW = ("systemctl", "show", "--property=Id,LoadState", "nginx.service", "php8.2-fpm.service")


@pytest.mark.parametrize(
    ("answer", "loaded"),
    [
        ("Id=nginx.service\nLoadState=loaded\n\nId=php8.2-fpm.service\nLoadState=loaded\n", SHOW[3:]),
        ("Id=nginx.service\nLoadState=loaded\n\nId=php8.2-fpm.service\nLoadState=not-found\n", SHOW[3:4]),
        ("Id=nginx.service\nLoadState=masked\n\nId=php8.2-fpm.service\nLoadState=not-found\n", ()),
        ("System has not been booted with systemd as init system (PID 1).\n", ()),
    ],
)
def test_units_that_systemd_knows(answer: str, loaded: tuple[str, ...]) -> None:
    machine = ToldMachine(Told(folders={"/run/systemd/system": ()}, answers={SHOW: answer}))
    assert discovery.loaded_units(SHOW[3:], machine) == loaded


def test_without_systemd_nobody_is_asked() -> None:
    machine = ToldMachine(NOTHING)
    assert discovery.loaded_units(SHOW[3:], machine) == ()
    assert discovery.loaded_units([], ToldMachine(Told(folders={"/run/systemd/system": ()}))) == ()
    assert machine.asked == []
