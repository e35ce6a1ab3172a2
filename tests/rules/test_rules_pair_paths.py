from __future__ import annotations

import pytest
from support.configurations import lines

from deploykit.rules.pool_examples import a_pool, a_site

BASEDIR = "php_admin_value[open_basedir] = {}"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("$document_root$fastcgi_script_name", ["error 9"]),
        ("$realpath_root$fastcgi_script_name", ["error 9"]),
        ("/srv/app/public$fastcgi_script_name", ["error 9"]),
        ("/srv/app/public/index.php", ["error 9"]),
        ("/public$fastcgi_script_name", []),
        ("/srv/application$fastcgi_script_name", []),
        ("$script", []),
    ],
)
def test_chroot(script: str, told: list[str]) -> None:
    assert lines("pair-chroot", a_pool("chroot = /srv/app"), a_site(script=script)) == told
    assert lines("pair-chroot", a_pool("chroot = /srv/app/"), a_site(script=script)) == told
    assert lines("pair-chroot", a_pool("chroot = /"), a_site(script=script)) == []


def test_chroot_of_another_pool_is_not_judged() -> None:
    assert lines("pair-chroot", a_pool("chroot = /srv/app"), a_site(socket="unix:/run/other.sock")) == []


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        ("/var/www/:/tmp/", ["error 9"]),
        ("/srv/app/shared:/tmp", ["error 9"]),
        ("/srv/app/public", []),
        ("/srv/app/public/", []),
        ("/srv", []),
        ("/srv/", []),
        ("/", []),
        ("/srv/app/pub", []),
        (".:/tmp", []),
        ("${ROOT}:/tmp", []),
        ("none", []),
        ('"/tmp:/srv/app"', []),
    ],
)
def test_open_basedir(allowed: str, told: list[str]) -> None:
    assert lines("pair-open-basedir", a_pool(BASEDIR.format(allowed)), a_site()) == told


def test_open_basedir_through_the_link_to_a_release() -> None:
    site = a_site().replace("/srv/app/public", "/srv/app/current/public")
    assert lines("pair-open-basedir", a_pool(BASEDIR.format("/srv/app/releases:/tmp")), site) == []
    assert lines("pair-open-basedir", a_pool(BASEDIR.format("/srv/app/shared:/tmp")), site) == ["error 9"]


def test_open_basedir_that_nginx_sets_itself() -> None:
    site = a_site('fastcgi_param PHP_ADMIN_VALUE "open_basedir=$document_root";')
    assert lines("pair-open-basedir", a_pool(BASEDIR.format("/var/www")), site) == []


def test_an_admin_value_beats_the_other_kind() -> None:
    both = a_pool("php_admin_value[open_basedir] = /srv", "php_value[open_basedir] = /var/www")
    assert lines("pair-open-basedir", both, a_site()) == []


def test_a_root_that_is_not_known_is_not_judged() -> None:
    for root in ("root html;", "root /srv/$host;", ""):
        site = a_site().replace("root /srv/app/public;", root)
        assert lines("pair-open-basedir", a_pool(BASEDIR.format("/var/www")), site) == []


LIMIT = "security.limit_extensions = {}"


@pytest.mark.parametrize(
    ("location", "allowed", "told"),
    [
        ("~ \\.php$", ".php5", ["error 9"]),
        ("~ \\.(php|inc)$", ".php5", ["error 9"]),
        ("~* \\.(PHP|phtml)$", ".php", ["warning 9"]),
        ("~ \\.(php|phtml)$", ".php .phtml", []),
        ("~ \\.ph(p|tml)$", ".php", []),
        ("~ \\.php[3457]?$", ".php", []),
        ("~ [^/]\\.php(/|$)", ".php", []),
        ("~ ^(?<script>.+\\.php)(?<path>/.*)?$", ".php", []),
        ("~ ^/(app|app_dev)\\.php(/|$)", ".html", ["error 9"]),
        ("~ ^/(app|app_dev)\\.php(/|$)", ".php", []),
        ("~ .", ".php", []),
        ("~ (", ".php5", []),
        ("/", ".php5", ["error 9"]),
        ("/", ".php", []),
        ("@php", "php", []),
        ("~ \\.php$", '""', []),
        ("= /index.php", ".php", []),
    ],
)
def test_limit_extensions(location: str, allowed: str, told: list[str]) -> None:
    assert lines("pair-limit-extensions", a_pool(LIMIT.format(allowed)), a_site(location=location)) == told


def test_extensions_by_default() -> None:
    assert lines("pair-limit-extensions", a_pool(), a_site()) == []
    assert lines("pair-limit-extensions", a_pool(), a_site(location="~ \\.phtml$")) == ["error nginx 7"]
    assert lines("pair-limit-extensions", a_pool(), a_site(location="~ \\.(php|phtml)$")) == ["warning nginx 7"]


def test_a_script_that_is_always_the_same() -> None:
    site = a_site(location="~ \\.html$", script="$document_root/index.php")
    assert lines("pair-limit-extensions", a_pool(), site) == []
    assert lines("pair-limit-extensions", a_pool(LIMIT.format(".html")), site) == ["error 9"]


STATUS = ("pm.status_path = /fpm-status", "ping.path = /fpm-ping")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("~ \\.php$", ["info 9"]),
        ("~ ^/fpm-(status|ping)$", []),
        ("~ ^/fpm-status$", ["info 10"]),
        ("= /fpm-ping", ["info 9"]),
        ("/fpm-", []),
        ("/", []),
        ("@php", ["info 9"]),
    ],
)
def test_status_pages(location: str, told: list[str]) -> None:
    assert lines("pair-status-not-routed", a_pool(*STATUS), a_site(location=location)) == told


def test_status_pages_that_are_not_asked_over_nginx() -> None:
    assert lines("pair-status-not-routed", a_pool(*STATUS)) == []
    assert lines("pair-status-not-routed", a_pool(*STATUS), a_site(socket="unix:/run/other.sock")) == []
    own = a_pool("pm.status_path = /fpm-status", "pm.status_listen = 127.0.0.1:9009")
    assert lines("pair-status-not-routed", own, a_site()) == []
