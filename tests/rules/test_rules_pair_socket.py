from __future__ import annotations

import pytest
from support.configurations import found, lines

from deploykit.rules.pool_examples import POOL, a_pool, a_site, without
from deploykit.rules.rule import Example

MET = [
    ("unix:/run/php/www.sock", "/run/php/www.sock"),
    ("unix:/var/run/php/www.sock", "/run/php/www.sock"),
    ("unix:/run//php/./www.sock", "/var/run/php/$pool.sock"),
    ("127.0.0.1:9000", "127.0.0.1:9000"),
    ("127.0.0.1:9000", "9000"),
    ("127.0.0.1:9000", "0.0.0.0:9000"),
    ("127.0.0.1:9000", "[::]:9000"),
    ("127.0.0.1:9000", "localhost:9000"),
    ("localhost:9000", "127.0.0.1:9000"),
    ("localhost:9000", "[::1]:9000"),
    ("[::1]:9000", "9000"),
]
LOST = [
    ("unix:/run/php/php-fpm.sock", "/run/php/www.sock"),
    ("unix:/run/php/www.sock", "127.0.0.1:9000"),
    ("127.0.0.1:9000", "/run/php/www.sock"),
    ("127.0.0.1:9000", "127.0.0.1:9001"),
    ("[::1]:9000", "127.0.0.1:9000"),
    ("[::1]:9000", "0.0.0.0:9000"),
    ("localhost:9000", "9001"),
]
ELSEWHERE = ["php:9000", "10.0.0.5:9000", "php.internal:9000", "$backend", "backend"]


@pytest.mark.parametrize(("asked", "listen"), MET)
def test_nginx_and_a_pool_that_meet(asked: str, listen: str) -> None:
    assert lines("pair-socket", a_pool(f"listen = {listen}"), a_site(socket=asked)) == []


@pytest.mark.parametrize(("asked", "listen"), LOST)
def test_nginx_and_a_pool_that_do_not(asked: str, listen: str) -> None:
    assert lines("pair-socket", a_pool(f"listen = {listen}"), a_site(socket=asked)) == ["error nginx 10"]


@pytest.mark.parametrize("asked", ELSEWHERE)
def test_what_lies_elsewhere_is_not_judged(asked: str) -> None:
    assert lines("pair-socket", POOL, a_site(socket=asked)) == []


def test_an_address_of_this_machine() -> None:
    site = a_site(socket="10.0.0.5:9000")
    here = frozenset(("10.0.0.5", "127.0.0.1"))
    assert lines("pair-socket", a_pool("listen = 127.0.0.1:9000"), site, addresses=here) == ["error nginx 10"]
    assert lines("pair-socket", a_pool("listen = 10.0.0.5:9000"), site, addresses=here) == []


def upstream(*servers: str) -> str:
    block = "".join(f"        server {server};\n" for server in servers)
    return a_site(socket="pools").replace("http {\n", f"http {{\n    upstream pools {{\n{block}    }}\n")


def test_servers_of_an_upstream() -> None:
    assert lines("pair-socket", POOL, upstream("unix:/run/php/www.sock")) == []
    assert lines("pair-socket", POOL, upstream("unix:/run/php/www.sock", "unix:/run/php/w2.sock backup")) == ["error nginx 6"]
    assert lines("pair-socket", POOL, upstream("unix:/run/php/www.sock", "unix:/run/php/w2.sock down")) == []


def test_an_address_in_a_variable() -> None:
    site = a_site(socket="$pool").replace("listen 80;", "set $pool unix:/run/php/w.sock;")
    assert lines("pair-socket", POOL, site) == ["error nginx 5"]
    assert lines("pair-socket", POOL, site.replace("/w.", "/www.")) == []
    assert lines("pair-socket", POOL, site.replace("root", "set $pool unix:/run/b.sock; root")) == []


def test_a_place_that_many_sites_include_is_told_once() -> None:
    site = a_site(socket="unix:/run/php/w.sock")
    start, end = site.index("    server {"), site.index("    }\n}") + 6
    snippet = site[site.index("        location") : end - 6]
    main = site[:start] + "server { include /etc/nginx/php; }\n" * 3 + site[end:]
    assert lines("pair-socket", POOL, main, files={"/etc/nginx/php": snippet}) == ["error php 4"]


def test_other_programs_and_sockets_that_are_there_are_left_alone() -> None:
    other = a_site(location="/cgi/", socket="unix:/run/fcgiwrap.socket", script="/usr/lib/cgi$fastcgi_script_name")
    assert lines("pair-socket", POOL, other) == []
    assert lines("pair-socket", POOL, other, exists=lambda path: False) == ["error nginx 10"]
    assert lines("pair-socket", POOL, a_site(socket="unix:/run/php7.sock"), exists=lambda path: True) == []
    assert lines("pair-socket", a_pool("pm.status_listen = /run/status.sock"), a_site(socket="unix:/run/status.sock")) == []


def test_nothing_is_said_while_the_pools_are_not_known() -> None:
    site = a_site(socket="unix:/run/php/w.sock")
    for fpm in (without("listen"), a_pool("listen = ${SOCKET}"), "include = /nosuch/*.conf\n" + POOL):
        assert lines("pair-socket", fpm, site) == []


GROUPS = {"www-data": frozenset(("www-data",)), "nginx": frozenset(("nginx",)), "member": frozenset(("member", "www-data"))}


def rights(owner: str = "", group: str = "", mode: str = "", *more: str) -> str:
    values = (("listen.owner", owner), ("listen.group", group), ("listen.mode", mode))
    more = (*(f"{key} = {value}" for key, value in values if value), *more)
    return without("listen.owner", "listen.group") + "".join(f"{line}\n" for line in more)


@pytest.mark.parametrize(
    ("pool", "user", "told"),
    [
        (rights("www-data", "www-data"), "www-data", []),
        (rights(), "www-data", ["error 4"]),
        (rights("", "", "0660"), "www-data", ["error 4"]),
        (rights("", "", "0666"), "www-data", []),
        (rights("root", "root", "0600"), "nginx", ["error 7"]),
        (rights("", "www-data"), "nginx", ["error 7"]),
        (rights("www-data", "www-data"), "nginx", ["error 7"]),
        (rights("www-data", "www-data"), "member", []),
        (rights("root", "www-data", "0600"), "www-data", ["error 9"]),
        (rights("www-data", "www-data", "0060"), "www-data", ["error 9"]),
        (rights("www-data"), "nginx", ["error 7"]),
        (rights("www-data", "www-data"), "root", []),
        (rights("33", "33"), "nginx", []),
        (rights("www-data", "www-data", "432"), "www-data", []),
        (rights("0", "0"), "nginx", ["error 7"]),
        (rights("nginx", "nginx", "", "listen.acl_users = www-data"), "nginx", ["error 9"]),
        (rights("", "", "", "listen.acl_users = www-data,nginx"), "nginx", []),
        (rights("", "", "", "listen.acl_groups = www-data"), "member", []),
        (rights("", "", "0666", "listen.acl_users = www-data"), "nginx", []),
        (rights("root", "root", "0660", "listen = 127.0.0.1:9000"), "nginx", []),
    ],
)
def test_who_may_open_the_socket(pool: str, user: str, told: list[str]) -> None:
    assert lines("pair-socket-permission", pool, a_site(user=user), groups_of=GROUPS) == told


def test_what_takes_knowing_the_groups_is_not_judged_without_them() -> None:
    assert lines("pair-socket-permission", POOL, a_site(user="nginx")) == []
    assert lines("pair-socket-permission", rights(), a_site(user="nginx")) == ["error 4"]
    assert lines("pair-socket-permission", rights("root", "root", "0600"), a_site(user="nginx")) == ["error 7"]
    assert lines("pair-socket-permission", POOL, a_site(user="nginx www-data"), groups_of=GROUPS) == []


def test_a_user_that_nginx_does_not_tell() -> None:
    site = a_site().replace("user www-data;", "")
    assert lines("pair-socket-permission", POOL, site, groups_of=GROUPS) == []
    assert lines("pair-socket-permission", rights(), site, groups_of=GROUPS) == ["error 4"]


def test_permission_without_root_is_not_judged() -> None:
    assert lines("pair-socket-permission", rights(), a_site(), as_root=False) == []
    assert lines("pair-socket-permission", rights().replace("user = www-data\n", ""), a_site()) == []


@pytest.mark.parametrize(
    ("listen", "clients", "asked", "told"),
    [
        ("127.0.0.1:9000", "10.0.0.5", "127.0.0.1:9000", ["error 9"]),
        ("127.0.0.1:9000", "10.0.0.5,127.0.0.1", "127.0.0.1:9000", []),
        ("[::1]:9000", "127.0.0.1", "[::1]:9000", ["error 9"]),
        ("9000", "10.0.0.5", "127.0.0.1:9000", ["error 9"]),
        ("9000", "127.0.0.1", "localhost:9000", []),
        ("9000", "10.0.0.5", "php:9000", []),
        ("9000", "nonsense", "127.0.0.1:9000", []),
        ("/run/php/www.sock", "10.0.0.5", "unix:/run/php/www.sock", []),
    ],
)
def test_clients(listen: str, clients: str, asked: str, told: list[str]) -> None:
    pool = a_pool(f"listen = {listen}", f"listen.allowed_clients = {clients}")
    assert lines("pair-allowed-clients", pool, a_site(socket=asked)) == told


def test_the_hint_names_where_the_pools_listen() -> None:
    told = found("pair-socket", Example(a_site(socket="unix:/run/w.sock"), POOL))[0]
    assert told.message == "no pool of php-fpm listens at unix:/run/w.sock"
    assert told.hint == "the pools listen at /run/php/www.sock"
