from __future__ import annotations

import pytest
from support.configurations import found, lines

from deploykit.rules.pool_examples import POOL, a_pool, a_site
from deploykit.rules.rule import Example

INI = "php_admin_value[{}] = {}"


def ini(**values: str) -> tuple[str, ...]:
    return tuple(INI.format(name, value) for name, value in values.items())


@pytest.mark.parametrize(
    ("values", "body", "told"),
    [
        ({}, "", []),
        ({}, "64m", []),
        ({}, "512k", ["info nginx 11"]),
        ({"post_max_size": "1M"}, "", ["info 9"]),
        ({"post_max_size": "8M", "upload_max_filesize": "64M"}, "64m", ["warning 9"]),
        ({"upload_max_filesize": "64M"}, "64m", ["warning 9"]),
        ({"post_max_size": "64M", "upload_max_filesize": "64M"}, "64m", []),
        ({"post_max_size": "64M"}, "", ["warning 9"]),
        ({"post_max_size": "64M"}, "8m", ["warning nginx 11"]),
        ({"post_max_size": "64M"}, "0", []),
        ({"post_max_size": "1G"}, "1g", ["warning 9"]),
        ({"post_max_size": "256M", "memory_limit": "512M"}, "256M", []),
        ({"post_max_size": "256M", "memory_limit": "64M"}, "256m", ["warning 10"]),
        ({"post_max_size": "256M", "memory_limit": "-1"}, "256m", []),
        ({"post_max_size": "0"}, "", []),
        ({"post_max_size": "banana"}, "", []),
        ({"post_max_size": "${SIZE}"}, "", []),
    ],
)
def test_sizes_of_requests(values: dict[str, str], body: str, told: list[str]) -> None:
    site = a_site(f"client_max_body_size {body};") if body else a_site()
    assert lines("pair-body-size", a_pool(*ini(**values)), site) == told


def test_the_size_is_inherited_and_the_widest_location_counts() -> None:
    pool = a_pool(*ini(post_max_size="64M"))
    assert lines("pair-body-size", pool, a_site().replace("listen 80;", "client_max_body_size 64m;")) == []
    upload = a_site().replace(
        "    }\n}", "    location = /up.php { client_max_body_size 64m; fastcgi_pass unix:/run/php/www.sock; }\n    }\n}"
    )
    assert lines("pair-body-size", pool, upload) == []
    assert lines("pair-body-size", pool) == []
    assert lines("pair-body-size", pool, a_site('fastcgi_param PHP_VALUE "post_max_size=1M";')) == []


def test_php_ini_fills_in_what_the_pool_leaves_out() -> None:
    pool = a_pool(*ini(upload_max_filesize="32M"))
    files = {
        "/etc/php/8.2/fpm/php.ini": b"post_max_size = 16M\n; post_max_size = 99M\n",
        "/etc/php/8.2/fpm/conf.d/99-x.ini": b'post_max_size="64M"\n',
    }
    main = {"/etc/php/8.2/fpm/php.ini": files["/etc/php/8.2/fpm/php.ini"]}

    def names(folder: str) -> list[str]:
        return ["99-x.ini", "README"] if folder == "/etc/php/8.2/fpm/conf.d" else []

    assert lines("pair-body-size", pool, a_site("client_max_body_size 99m;"), read=main.get) == ["warning 9"]
    assert lines("pair-body-size", pool, a_site("client_max_body_size 99m;"), read=files.get, names=names) == []


@pytest.mark.parametrize(
    ("pool", "wait", "told"),
    [
        ((), "", []),
        ((), "5s", ["info nginx 11"]),
        (("request_terminate_timeout = 10s",), "", ["info 9"]),
        (("request_terminate_timeout = 10s", *ini(max_execution_time="120")), "", ["warning 9"]),
        (("request_terminate_timeout = 300s", *ini(max_execution_time="300")), "300s", []),
        (("request_terminate_timeout = 300s", *ini(max_execution_time="300")), "5m", []),
        (("request_terminate_timeout = 300s", *ini(max_execution_time="300")), "", ["warning 9"]),
        (("request_terminate_timeout = 300s",), "1m 30s", ["warning nginx 11"]),
        (("request_terminate_timeout = 0", *ini(max_execution_time="120")), "", ["warning 10"]),
        (ini(max_execution_time="120"), "120", []),
        (ini(max_execution_time="0"), "", []),
        (("request_terminate_timeout = 300s",), "$time", []),
    ],
)
def test_times(pool: tuple[str, ...], wait: str, told: list[str]) -> None:
    site = a_site(f'fastcgi_read_timeout "{wait}";') if wait else a_site()
    assert lines("pair-timeouts", a_pool(*pool), site) == told


def test_memory() -> None:
    two = a_pool("pm.max_children = 30") + POOL.replace("[www]", "[other]").replace("www.sock", "o.sock")
    assert lines("pair-memory", two, memory_mb=1000) == ["warning 8"]
    assert lines("pair-memory", two, memory_mb=1400) == []
    assert lines("pair-memory", two) == []
    small = a_pool("pm.max_children = 60", *ini(memory_limit="16M"))
    assert lines("pair-memory", small, memory_mb=1000) == []
    assert lines("pair-memory", a_pool("pm.max_children = 99999999999"), memory_mb=1000) == []
    told = found("pair-memory", Example(fpm=two, around={"memory_mb": 1000}))
    assert told[0].message == "35 workers at 40 MB each need 1400 MB, the machine has 1000 MB"


def test_backlog() -> None:
    assert lines("pair-backlog", a_pool("listen.backlog = 511"), somaxconn=128) == ["info 9"]
    assert lines("pair-backlog", a_pool("listen.backlog = 511"), somaxconn=511) == []
    assert lines("pair-backlog", a_pool("listen.backlog = -1"), somaxconn=128) == []
    assert lines("pair-backlog", a_pool("listen.backlog = 511")) == []
