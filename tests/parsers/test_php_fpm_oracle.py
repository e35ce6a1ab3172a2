"""The parser against php-fpm itself: ``php-fpm -tt`` prints every value that it holds."""

from __future__ import annotations

import glob
import random
import re
import subprocess
from pathlib import Path

import pytest
from test_php_fpm_cases import CASES, Case

from deploykit.parsers.php_fpm import FpmConfig, Pool, parse
from deploykit.parsers.php_fpm_directives import ARRAYS, time
from deploykit.parsers.tree import Tree

BINARIES = sorted(glob.glob("/usr/sbin/php-fpm*"))
ENVIRONMENT = {"KNOWN": "its value", "EMPTY": ""}

pytestmark = [pytest.mark.services, pytest.mark.skipif(not BINARIES, reason="no php-fpm in /usr/sbin")]

PIECES = [
    *["a", "b", "yes", "No", "none", "NULL", "true", "off", "1", "23", "-", ".", "0x1", "E_ALL", "M_PI", "LC_ALL", "INF"],
    *["~", "|", "&", "^", "!", "(", ")", '"', '"', '"', "'", "'", "${KNOWN}", "${NOPE}", "${EMPTY}", "${", "$", "$a"],
    *["\\", "\\\\", '\\"', "\\$", ";", "=", " ", " ", " ", "\t", "[", "]", "{", "}", "#", "/", "é", "$pool", ":", ","],
    *["''", '""', "%", "@", "?", "<", "*", "+", "x y"],
]
TEXTS = ["listen.allowed_clients", "listen.acl_users", "ping.response", "security.limit_extensions", "env[A]", "env[ b ]"]
TEXTS += ['env["c"]', "env['d']", "env[E_ALL]", "php_value[x.y]", "php_admin_value[z]", "PING.Response", "  listen.acl_groups"]
NUMBERS = ["pm.max_requests", "rlimit_files", "listen.backlog", "pm.max_spawn_rate", "rlimit_core"]
NUMBER_VALUES = ["0", "5", "010", "-1", "-", "", "99999999999", "99999999999999999999", "+5", "0x10", "1.5", "1|2", "~7", "'6'"]
NUMBER_VALUES += ["unlimited", "Unlimited", '"12"', "E_ALL", "5 5", "5;6", "yes", "no", "2147483648", "-2147483649", "٣"]
TIMES = ["pm.process_idle_timeout", "request_terminate_timeout", "PM.PROCESS_IDLE_TIMEOUT"]
TIME_VALUES = ["1", "10s", "2m", "3h", "4d", "5w", "500ms", "1.5m", "1h30m", "abcm", "m", "", "10S", '"7s"', "1 m", "99999999d"]
TIME_VALUES += ["9'd'", "-5", "- 5s", "M_PI", "s"]
FLAGS = ["catch_workers_output", "clear_env", "process.dumpable", "decorate_workers_output", "php_flag[f]", "php_admin_flag[g]"]
FLAG_VALUES = ["yes", "NO", "on", "Off", "true", "FALSE", "none", "null", "1", "0", "2", "", "ye", "~-2"]
FLAG_VALUES += ['"yes"', '"Yes"', '"off"', "'no'", "E_ERROR"]
KINDS = [(TEXTS, None), (TEXTS, None), (NUMBERS, NUMBER_VALUES), (TIMES, TIME_VALUES), (FLAGS, FLAG_VALUES)]


def lines(seed: int, count: int) -> list[str]:
    """Lines of a pool, good and bad ones."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        keys, values = chance.choice(KINDS)
        value = chance.choice(values) if values else "".join(chance.choice(PIECES) for _ in range(chance.randint(0, 6)))
        equals = chance.choice([" = ", "=", "= ", "\t=\t", " =  "])
        made.append(chance.choice(keys) + equals + value + chance.choice(["", "", " ", " ; comment"]))
    return [line for line in made if comparable(line)]


def comparable(line: str) -> bool:
    """Leave out what the printout cannot show: line feeds. (A ``$`` takes the next character, be it the end of the line.)"""
    return not re.search(r"\$\\?[ \t]*$|\$\\[$\\]", line)


def frame(folder: Path, pools: list[list[str]]) -> str:
    """A configuration that php-fpm accepts if it accepts the lines."""
    parts = [f"[global]\nerror_log = {folder}/error.log\nlog_limit = 16384\n"]
    for number, pool in enumerate(pools):
        start = [f"[pool{number}]", "user = nobody", f"listen = {folder}/{number}.sock", "pm = static", "pm.max_children = 2"]
        parts.append("\n".join([*start, "ping.path = /ping", *pool, 'ping.response = "pong"' if not pool else ""]) + "\n")
    return "".join(parts)


def parsed(content: str) -> FpmConfig:
    tree = Tree({"/php-fpm.conf": content.encode("utf-8", "surrogateescape")})
    return parse("/php-fpm.conf", tree.read, tree.glob, ENVIRONMENT)


def accepted(line: str) -> bool:
    config = parsed(frame(Path("/x"), [[line]]))
    return not config.errors and config.pools["pool0"].get("ping.response") != ""


def php_fpm(main: Path, environment: dict[str, str] | None = None) -> tuple[int, str]:
    ran = subprocess.run(
        [BINARIES[0], "-tt", "-y", str(main)], env=environment or ENVIRONMENT, capture_output=True, timeout=60, check=False
    )
    return ran.returncode, ran.stderr.decode("utf-8", "surrogateescape")


def printed(output: str) -> dict[str, list[tuple[str, str]]]:
    """The printout: by section its (key, value) pairs."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for line in output.split("\n"):
        text = line.partition("NOTICE: ")[2]
        if text.startswith("["):
            sections[text[1:-1]] = []
        elif text.startswith("\t"):
            key, _, value = text[1:].partition(" = ")
            sections[next(reversed(sections))].append((key, value))
    return sections


def as_printed(pool: Pool, key: str) -> str:
    """A value in effect as php-fpm prints it."""
    value = pool.get(key)
    if key == "listen.mode":
        entry = pool.entry(key)
        return entry.value if entry else "undefined"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if pool.table[key].kind is time and key != "pm.process_idle_timeout":
        return f"{value}s"
    return "undefined" if value is None else str(value)


def scalars(pool: Pool) -> dict[str, str]:
    return {entry.key: as_printed(pool, entry.key) for entry in pool.entries if entry.key not in (*ARRAYS, "listen")}


def arrays(pool: Pool) -> list[tuple[str, str]]:
    """In the order of the printout: the last first, flags among the values."""
    found = []
    for name in ("env", "php_value", "php_admin_value"):
        keys = (name, name.replace("value", "flag"))
        mine = [e for e in pool.entries if e.key in keys]
        found += [(f"{name}[{e.bracket}]", e.value) for e in reversed(mine)]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_the_parser_accepts_has_the_values_that_php_fpm_holds(seed: int, tmp_path: Path) -> None:
    good = [line for line in lines(seed, 3000) if accepted(line)]
    assert len(good) > 1000
    pools = [good[start : start + 25] for start in range(0, len(good), 25)]
    main = tmp_path / "php-fpm.conf"
    content = frame(tmp_path, pools)
    main.write_bytes(content.encode("utf-8"))
    status, output = php_fpm(main)
    assert status == 0, output[-300:]
    config, real = parsed(content), printed(output)
    assert set(real) == {"global", *config.pools}
    for name, pool in config.pools.items():
        theirs = dict(real[name])
        assert {k: v for k, v in scalars(pool).items() if k in theirs} == {k: theirs[k] for k in scalars(pool) if k in theirs}
        assert arrays(pool) == [(k, v) for k, v in real[name] if "[" in k]


@pytest.mark.parametrize("seed", range(2))
def test_what_the_parser_refuses_php_fpm_refuses(seed: int, tmp_path: Path) -> None:
    bad = [line for line in lines(100 + seed, 200) if not accepted(line)]
    assert len(bad) > 40
    for line in bad[:40]:
        main = tmp_path / "php-fpm.conf"
        main.write_bytes(frame(tmp_path, [[line]]).encode("utf-8"))
        status, output = php_fpm(main)
        assert status == 78, f"{line!r}: {output[-300:]}"


def test_the_defaults_are_those_of_php_fpm(tmp_path: Path) -> None:
    main = tmp_path / "php-fpm.conf"
    content = frame(tmp_path, [[]]).replace("ping.path = /ping\n", "").replace("ping.response", ";")
    main.write_text(content)
    status, output = php_fpm(main)
    assert status == 0, output
    config, real = parsed(content), printed(output)
    pool = config.pools["pool0"]
    # Without the page or log that they belong to, php-fpm drops these.
    dropped = ("ping.response", "access.format")
    theirs = {k: v for k, v in real["pool0"] if k not in dropped and k in pool.table}
    assert len(theirs) > 30
    assert {k: as_printed(pool, k) for k in theirs} == theirs


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_cases_are_accepted_and_refused_by_php_fpm_too(path: Path, tmp_path: Path) -> None:
    case = Case(path, str(tmp_path))
    # The default log lies outside of the test's folder, and php-fpm opens it.
    case.files[case.main] = f"error_log = {tmp_path}/error.log\n".encode() + case.files[case.main]
    for name, content in case.files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    status, output = php_fpm(Path(case.main), {"PATH": "/bin", **case.environment})
    assert (status != 0) == bool(case.config().errors), output
