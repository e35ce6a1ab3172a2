from __future__ import annotations

import pytest
from support.configurations import found, lines

from deploykit.rules.pool_examples import POOL, a_pool, without
from deploykit.rules.rule import Example

OTHER = POOL.replace("[www]", "[other]").replace("www.sock", "other.sock")
DYNAMIC = ("pm = dynamic", "pm.min_spare_servers = 1", "pm.max_spare_servers = 3")
POOLS = "/etc/php/8.2/fpm/pool.d"


@pytest.mark.parametrize("key", ["user", "listen", "pm", "pm.max_children"])
def test_what_every_pool_needs(key: str) -> None:
    assert lines("fpm-missing-directive", without(key)) == ["error 1"]
    assert lines("fpm-missing-directive", without(key) + f"{key} =\n") == ["error 1"]


def test_a_user_is_needed_by_root_only() -> None:
    assert lines("fpm-missing-directive", without("user"), as_root=False) == []


def test_what_only_some_pools_need() -> None:
    assert lines("fpm-missing-directive", a_pool("pm = dynamic")) == ["error 1", "error 1"]
    assert lines("fpm-missing-directive", a_pool("request_slowlog_timeout = 5")) == ["error 9"]
    assert lines("fpm-missing-directive", a_pool("request_slowlog_timeout = 0")) == []


def test_no_pool_at_all() -> None:
    assert lines("fpm-missing-directive", "[global]\nerror_log = /x\n") == ["error 0"]
    assert lines("fpm-missing-directive", f"include = {POOLS}/*.conf\n") == ["error 1"]
    # What cannot be read may hold pools: php-fpm's complaint about the folder is enough.
    assert lines("fpm-missing-directive", "include = /nosuch/*.conf\n") == []


def test_a_misspelt_or_unreadable_line_is_told_once() -> None:
    assert lines("fpm-missing-directive", without("listen") + "lisen = /run/x.sock\n") == []
    assert lines("fpm-missing-directive", without("listen") + "listen = /run/(x).sock\n") == []
    unset = without("listen") + "listen = ${SOCKET}\n"
    assert lines("fpm-missing-directive", unset) == []
    assert lines("fpm-missing-directive", unset, environment={}) == ["error 1"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((*DYNAMIC, "pm.start_servers = 2"), []),
        (DYNAMIC, []),
        (("pm.max_children = 0",), ["error 8"]),
        (("pm = ondemand", "pm.process_idle_timeout = 0"), ["error 9"]),
        ((*DYNAMIC, "pm.max_spawn_rate = 0"), ["error 11"]),
        ((*DYNAMIC, "pm.start_servers = 4"), ["error 11"]),
        ((*DYNAMIC, "pm.start_servers = 0"), []),
        ((*DYNAMIC, "pm.max_children = 2"), ["error 10"]),
        (("pm = dynamic", "pm.min_spare_servers = 0", "pm.max_spare_servers = 3"), ["error 9"]),
        (("pm = dynamic", "pm.min_spare_servers = 4", "pm.max_spare_servers = 3", "pm.start_servers = 2"), ["error 9"]),
        (("pm = dynamic", "pm.min_spare_servers = 2", "pm.max_spare_servers = 1", "pm.start_servers = 2"), ["error 10"]),
        (("pm = dynamic", "pm.min_spare_servers = 2", "pm.max_spare_servers = 20"), ["error 10"]),
        (("pm.min_spare_servers = 9", "pm.max_spare_servers = 1"), []),
        (("pm.max_children = many",), []),
        ((*DYNAMIC, "pm.max_children = ${CHILDREN}"), []),
    ],
)
def test_numbers_of_workers(more: tuple[str, ...], told: list[str]) -> None:
    assert lines("fpm-pm-numbers", a_pool(*more)) == told


def test_status_and_ping() -> None:
    same = ("pm.status_path = /x", "ping.path = /x")
    assert lines("fpm-status-ping", a_pool(*same)) == ["warning 10"]
    assert lines("fpm-status-ping", a_pool(*same, "pm.status_listen = 127.0.0.1:9009")) == []
    assert lines("fpm-status-ping", a_pool("pm.status_path =", "ping.path =")) == []


def test_a_key_that_stands_twice() -> None:
    assert lines("fpm-duplicate-key", a_pool() + "pm.max_children = 6\n") == ["warning 9"]
    assert lines("fpm-duplicate-key", a_pool() + "PM.Max_Children = 6\n") == ["warning 9"]
    assert lines("fpm-duplicate-key", a_pool() + "pm.max_children = 5\n") == ["info 9"]
    assert lines("fpm-duplicate-key", "error_log = /a\nerror_log = /b\n" + POOL) == ["warning 2"]


def test_of_names_in_brackets_the_first_counts() -> None:
    pool = a_pool("env[A] = secret1") + "env[A] = secret2\n"
    told = found("fpm-duplicate-key", Example(fpm=pool))
    assert [str(f.at) for f in told] == ["/etc/php/8.2/fpm/php-fpm.conf:10:1"]
    assert "secret" not in told[0].message + told[0].hint
    assert lines("fpm-duplicate-key", a_pool("php_value[log_errors] = 1") + "php_flag[log_errors] = off\n") == ["warning 10"]
    assert lines("fpm-duplicate-key", a_pool("php_value[log_errors] = 1", "php_admin_value[log_errors] = 0")) == []
    assert lines("fpm-duplicate-key", a_pool("access.suppress_path[] = /a") + "access.suppress_path[] = /b\n") == []


def test_a_pool_that_a_later_file_continues() -> None:
    main = f"include = {POOLS}/*.conf\n"
    docker = {f"{POOLS}/www.conf": a_pool("env[A] = 1"), f"{POOLS}/zz.conf": "[global]\ndaemonize = no\n[www]\nlisten = 9000\n"}
    assert lines("fpm-duplicate-key", main, files=docker) == []
    assert lines("fpm-pool-merged", main, files=docker) == []
    again = {**docker, f"{POOLS}/zz.conf": "[www]\nenv[A] = 2\n"}
    assert lines("fpm-duplicate-key", main, files=again) == ["warning zz.conf 2"]
    bare = {**docker, f"{POOLS}/zz.conf": "pm.max_children = 9\n"}
    assert lines("fpm-duplicate-key", main, files=bare) == []


def test_two_whole_pools_of_one_name() -> None:
    files = {f"{POOLS}/a.conf": POOL, f"{POOLS}/b.conf": POOL.replace("[www]", "[WWW]").replace("www.sock", "b.sock")}
    assert lines("fpm-pool-merged", f"include = {POOLS}/*.conf\n", files=files) == ["error b.conf 1"]
    twice = f"include = {POOLS}/*.conf\ninclude = {POOLS}/a.conf\n"
    assert lines("fpm-pool-merged", twice, files={f"{POOLS}/a.conf": POOL}) == []
    assert lines("fpm-duplicate-key", twice, files={f"{POOLS}/a.conf": POOL}) == []


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("/run/a.sock", "/run/a.sock", True),
        ("/run/a.sock", "/var/run//a.sock", True),
        ("/run/a.sock", "/run/b.sock", False),
        ("9000", "127.0.0.1:9000", True),
        ("127.0.0.1:9000", "9000", True),
        ("9000", "[::1]:9000", True),
        ("0.0.0.0:9000", "127.0.0.1:9000", True),
        ("localhost:9000", "127.0.0.1:9000", True),
        ("[::]:9000", "0.0.0.0:9000", True),
        ("0.0.0.0:9000", "[::1]:9000", False),
        ("127.0.0.1:9000", "127.0.0.1:9001", False),
        ("127.0.0.1:9000", "10.0.0.1:9000", False),
    ],
)
def test_two_pools_at_one_address(first: str, second: str, clash: bool) -> None:
    pools = a_pool(f"listen = {first}") + OTHER.replace("/run/php/other.sock", second)
    assert lines("fpm-duplicate-listen", pools) == (["error 9"] if clash else [])


def test_addresses_that_are_not_known_do_not_clash() -> None:
    for address in ("/run/${NAME}.sock", "${HOST}:9000"):
        both = a_pool(f"listen = {address}") + OTHER.replace("/run/php/other.sock", address)
        assert lines("fpm-duplicate-listen", both) == []


def test_a_status_page_of_its_own_takes_an_address_too() -> None:
    assert lines("fpm-duplicate-listen", OTHER + a_pool("pm.status_listen = /run/php/other.sock")) == ["error 17"]


def test_process_max() -> None:
    two = a_pool("pm.max_children = 3") + OTHER
    assert lines("fpm-process-max", "process.max = 7\n" + two) == ["warning 1"]
    assert lines("fpm-process-max", "process.max = 8\n" + two) == []
    assert lines("fpm-process-max", "process.max = 0\n" + two) == []


def test_open_files() -> None:
    pool = "rlimit_files = 30000\n" + POOL
    assert lines("fpm-rlimit", pool, nr_open=20000) == ["warning 1"]
    assert lines("fpm-rlimit", pool, nr_open=1048576, open_files=20000) == ["info 1"]
    assert lines("fpm-rlimit", pool, nr_open=1048576, open_files=20000, as_root=False) == ["warning 1"]
    assert lines("fpm-rlimit", pool) == []
    assert lines("fpm-rlimit", "rlimit_files = 99999999999\n" + POOL, nr_open=1048576) == []
