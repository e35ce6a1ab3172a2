from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from deploykit.errors import Location
from deploykit.parsers.php_fpm import FpmConfig, parse
from deploykit.parsers.tree import Tree

POOL = "[www]\nuser = nobody\nlisten = /run/www.sock\npm = static\npm.max_children = 2\n"


def read(main: str | bytes, **files: str) -> FpmConfig:
    content = main if isinstance(main, bytes) else main.encode()
    tree = Tree({"/f/main": content, **{f"/f/{name}": text.encode() for name, text in files.items()}})
    return parse("/f/main", tree.read, tree.glob, {})


def test_every_entry_is_kept_with_its_place() -> None:
    pool = read(POOL + "pm.max_children = 5 ; more\nenv[A] = 1\nenv[A] = 2\n").pools["www"]
    assert [str(e.at) for e in pool.entries if e.key == "pm.max_children"] == ["/f/main:5:1", "/f/main:6:1"]
    last = pool.entry("pm.max_children")
    assert last is not None
    assert (last.value, last.raw) == ("5", "5 ; more")
    assert pool.array("env")["A"].value == "1"
    assert pool.at == Location("/f/main", 1, 1)


def test_headers_tell_where_a_pool_was_merged() -> None:
    pool = read(POOL + "include = /f/more\n", more="\n[WWW]\nuser = daemon\n").pools["www"]
    assert [str(at) for at in pool.headers] == ["/f/main:1:1", "/f/more:2:1"]
    assert pool.get("user") == "daemon"


def test_includes_and_files_are_told() -> None:
    config = read("include = /f/p*\n", p1=POOL, p2="", q="")
    assert [(i.pattern, i.files, str(i.at)) for i in config.includes] == [("/f/p*", ("/f/p1", "/f/p2"), "/f/main:1:1")]
    assert config.files == ("/f/main", "/f/p1", "/f/p2")


def test_a_main_file_that_is_not_there_is_a_problem() -> None:
    tree = Tree({})
    config = parse("/nosuch", tree.read, tree.glob, {})
    assert [(p.kind, str(p.at)) for p in config.problems] == [("fpm-include-missing", "/nosuch")]
    assert not config.pools


def hints(main: str, **files: str) -> list[str]:
    return [problem.hint for problem in read(main, **files).problems]


def test_hints_say_what_to_do() -> None:
    assert hints(POOL + "pm.max_childs = 5\n") == ["did you mean 'pm.max_children'?"]
    assert hints(POOL + "# comment\n//x = 1\n") == ["a comment begins with ';'"] * 2
    assert hints(POOL + "memory_limit = 5\n") == [
        "a setting of php.ini goes into php_admin_value[memory_limit] or php_value[memory_limit]"
    ]
    assert hints(POOL + "daemonize = no\n") == ["it belongs into [global]"]
    behind = "it belongs into [global], and the section in force is the last one of the last file included"
    assert hints("include = /f/p\ndaemonize = no\n", p=POOL) == [behind]


def test_the_inside_of_a_value_over_several_lines_is_not_told() -> None:
    problems = read(POOL + 'env[KEY] = "-----BEGIN\nc2VjcmV0=\nc2VjcmV0\n-----END"\npm = nosuch\n').problems
    assert [(p.kind, p.at.line) for p in problems] == [("fpm-syntax", 6), ("fpm-bad-value", 10)]
    assert not any("c2Vj" in p.message for p in problems)


def test_first_workers() -> None:
    assert read(POOL).pools["www"].first_workers == 2
    dynamic = POOL + "pm = dynamic\npm.min_spare_servers = 2\npm.max_spare_servers = 7\n"
    assert read(dynamic).pools["www"].first_workers == 4
    assert read(dynamic + "pm.start_servers = 3\n").pools["www"].first_workers == 3
    assert read(POOL + "pm = ondemand\n").pools["www"].first_workers == 0


def test_where_a_pool_listens() -> None:
    def listens(value: str) -> tuple[str, str]:
        pool = read(f"{POOL}listen = {value}\n").pools["www"]
        return pool.listen, pool.socket

    assert listens("/run/x.sock") == ("/run/x.sock", "/run/x.sock")
    assert listens("x.sock") == ("/usr/x.sock", "/usr/x.sock")
    assert listens("9000") == ("9000", "")
    assert listens("[::1]:9000") == ("[::1]:9000", "")
    assert listens("") == ("", "")


def test_paths_of_global_directives() -> None:
    config = read("pid = run/x.pid\n")
    assert (config.path("pid"), config.path("error_log")) == ("/var/run/x.pid", "/var/log/php-fpm.log")
    assert read("error_log = syslog\n").path("error_log") == "syslog"
    tree = Tree({"/m": b"pid = x.pid\ninclude = p\n", "/opt/p": POOL.encode()})
    moved = parse("/m", tree.read, tree.glob, {}, "/opt")
    assert moved.path("pid") == "/opt/x.pid"
    assert list(moved.pools) == ["www"]


def test_chroot_takes_the_prefix() -> None:
    pool = read(POOL + "prefix = /srv\nchroot = $prefix/www\nchdir = in\n").pools["www"]
    assert (pool.path("chroot"), pool.path("chdir"), pool.path("slowlog")) == ("/srv//www", "/srv/in", "")


def test_bytes_that_are_no_utf8_and_a_nul_do_no_harm() -> None:
    config = read(POOL.encode() + b"env[A] = \xff\xfe\nnosuch\xff = 1\nenv[B] = a\x00b\n")
    assert config.pools["www"].array("env")["A"].value.encode("utf-8", "surrogateescape") == b"\xff\xfe"
    assert config.pools["www"].array("env")["B"].value == "a"
    assert [p.message.encode() for p in config.problems] == [b"unknown directive 'nosuch?' in [www]"]


def test_a_pool_named_by_its_own_variable_does_not_loop() -> None:
    assert [p.kind for p in read("[a$pool]\nlisten = $pool\n").problems] == ["fpm-bad-value"]


@given(
    st.lists(
        st.sampled_from([b"[www]", b"\n", b"a", b" = ", b'"', b"'", b"include = /f/*", b"\xef\xbb\xbf", b"\r", b"$pool", b"\0"])
    )
)
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    config = read(b"".join(pieces))
    assert all(p.message.isprintable() and p.at.file == "/f/main" for p in config.problems)


def test_a_thousand_pools_are_read_fast() -> None:
    lines = [f'pm.max_requests = {n}\nphp_admin_value[x{n}] = 64M\nenv[B{n}] = "v"\n; why\n' for n in range(5)]
    content = "".join(f"{POOL.replace('www', f'www{n}')}{''.join(lines)}" for n in range(1000))
    began = time.process_time()
    config = read(content)
    assert len(config.pools) == 1000
    assert time.process_time() - began < 2.0
