"""Values for php-fpm: what the filters write, and what a real php-fpm makes of it."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Dict, List

import pytest

from deploykit.errors import InvalidInput
from deploykit.system.fastcgi import ask
from deploykit.templating.filters_fpm import fpm_bool, fpm_quote, fpm_size, fpm_time, octal
from deploykit.templating.values import FilterError

NAMES = ("php-fpm", "php-fpm8.4", "php-fpm8.3", "php-fpm8.2", "php-fpm8.1")
FPM = next(filter(None, (shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin") for name in NAMES)), "")
needs_fpm = pytest.mark.skipif(not FPM, reason="php-fpm is not installed")
TRICKY = [
    *(
        "p;w",
        "p'w",
        'p"w',
        "yes",
        "null",
        "~x",
        "M_PI",
        " lead",
        "trail ",
        "a${b}",
        "a=b&c|d",
        "hello!",
        "^x",
        "\\",
        "a\\",
        '\\"',
    ),
    *(
        "\\\\",
        "\\${x}",
        "a$b",
        "a$",
        "}",
        "x$$ y",
        "#x",
        "[x]",
        "\t",
        "ü€😀",
        "''",
        "E_ALL & ~E_NOTICE",
        "%",
        "\\n",
        "a\\'b",
        "a$poo l",
    ),
]
CHARACTERS = "\"'\\$;&|!=#^~{}()[]<>?*%@ \tabnrxyzE_019üß€,:/.-+"


@pytest.mark.parametrize(
    ("value", "output"),
    [("a b", '"a b"'), (5, '"5"'), ('a"b\\', '"a\\"b\\\\"'), ("a${b}$c", '"a\\${b}$c"'), ("$x", '"$x"'), ("", '""')],
)
def test_quote(value, output):
    assert fpm_quote(value) == output


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "x$pool", "a $pooly", None, True, 1.5, ["a"]])
def test_quote_refuses(value):
    with pytest.raises(FilterError):
        fpm_quote(value)


@pytest.mark.parametrize("value", ["$x", "$", "${x}", ""])
def test_quote_for_env_refuses(value):
    with pytest.raises(FilterError):
        fpm_quote(value, env=True)


@pytest.mark.parametrize(
    ("filter_", "value", "output"),
    [
        (fpm_bool, True, "yes"),
        (fpm_bool, "Off", "no"),
        (fpm_bool, 0, "no"),
        (fpm_size, "10m", "10M"),
        (fpm_size, "10MB", "10M"),
        (fpm_size, "1G", "1G"),
        (fpm_size, "512 k", "512K"),
        (fpm_size, 1024, "1024"),
        (fpm_size, -1, "-1"),
        (fpm_size, "-1", "-1"),
        (fpm_time, 30, "30s"),
        (fpm_time, "30", "30s"),
        (fpm_time, "30s", "30s"),
        (fpm_time, "2m", "2m"),
        (fpm_time, "1h", "1h"),
        (fpm_time, "1d", "1d"),
        (fpm_time, "1m30s", "90s"),
        (fpm_time, "1h 30m", "5400s"),
        (fpm_time, "1m30", "90s"),
        (fpm_time, 0, "0s"),
        (octal, "0660", "0660"),
        (octal, "660", "0660"),
        (octal, "0o660", "0660"),
        (octal, 0o660, "0660"),
        (octal, 0o600, "0600"),
        (octal, 0o644, "0644"),
        (octal, 0o777, "0777"),
    ],
)
def test_output(filter_, value, output):
    assert filter_(value) == output


@pytest.mark.parametrize(
    ("filter_", "value"),
    [
        *((fpm_bool, value) for value in ("maybe", "", None, 2, [])),
        *((fpm_size, value) for value in ("1.5G", "10T", "", "banana", "0x10", "-2", None, True, 1.5)),
        *(
            (fpm_time, value)
            for value in ("500ms", "1.5m", "1H", "", "m", "30s1m", "1w", None, True, 0.5, "99999999999", "-1", "25000d")
        ),
        *(
            (octal, value)
            for value in (
                "432",
                "438",
                "384",
                "420",
                "0888",
                "rw-rw----",
                "66",
                "06600",
                "",
                None,
                True,
                6.6,
                660,
                644,
                400,
                444,
                -1,
                0o1777,
            )
        ),
    ],
)
def test_refused(filter_, value):
    with pytest.raises(FilterError):
        filter_(value)


def test_a_refusal_is_at_the_templates_line(rendered):
    with pytest.raises(InvalidInput, match="line break") as error:
        rendered("[www]\nenv[X] = {{ x | fpm_quote(env=true) }}\n", x="secret\nvalue")
    assert str(error.value.at) == "config_templates/t.j2:2"
    assert "secret" not in f"{error.value}{error.value.hint}"


def samples() -> List[str]:
    """Values that fpm_quote takes for env[]."""
    chosen = random.Random(20)
    made = TRICKY + ["".join(chosen.choices(CHARACTERS, k=chosen.randint(1, 30))) for _ in range(400)]
    return [value for value in made if value and value[0] != "$" and "$pool" not in value]


class Fpm:
    """A real php-fpm with one pool that has the given lines."""

    def __init__(self, folder: Path, lines: str) -> None:
        self.folder = folder
        account = "user = root\ngroup = root\n" if os.geteuid() == 0 else ""
        (folder / "fpm.conf").write_text(
            f"[global]\nerror_log = {folder}/log\npid = {folder}/pid\n[www]\n{account}"
            f"listen = {folder}/sock\npm = static\npm.max_children = 1\n{lines}\n"
        )
        self.argv = [FPM, "-n", "-R", "-F", "-y", str(folder / "fpm.conf")]

    def resolved(self) -> str:
        """What ``php-fpm -tt`` says about every directive."""
        told = subprocess.run([*self.argv, "-tt"], capture_output=True, text=True, check=False, timeout=20)
        assert told.returncode == 0, told.stderr
        return told.stderr

    def run(self, script: str) -> Dict[str, str]:
        """The JSON object that a PHP script prints, values in base64."""
        (self.folder / "x.php").write_text(f"<?php {script}")
        process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                answer = ask(f"unix:{self.folder}/sock", f"{self.folder}/x.php", 10.0)
                if answer.status:
                    break
                time.sleep(0.05)
            told = json.loads(answer.body)
            return {name: base64.b64decode(value).decode() for name, value in told.items()}
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path: a socket's may have 107 bytes."""
    return tmp_path_factory.mktemp("f")


@needs_fpm
@pytest.mark.services
def test_php_fpm_reads_back_what_was_quoted(folder):
    values = {f"V{number}": value for number, value in enumerate(samples())}
    lines = "\n".join(f"env[{name}] = {fpm_quote(value, env=True)}" for name, value in values.items())
    told = Fpm(folder, lines).run("echo json_encode(array_map('base64_encode', getenv()));")
    assert {name: told.get(name) for name in values} == values


@needs_fpm
@pytest.mark.services
def test_ini_values_may_begin_with_a_dollar(folder):
    values = {
        "user_agent": '$x ${y} "z"',
        "error_append_string": "$",
        "error_prepend_string": "\\$a; 'b'",
        "arg_separator.output": "; # ",
    }
    lines = "\n".join(f"php_admin_value[{name}] = {fpm_quote(value)}" for name, value in values.items())
    names = ", ".join(f"'{name}'" for name in values)
    told = Fpm(folder, lines).run(f"foreach ([{names}] as $n) $o[$n] = base64_encode(ini_get($n)); echo json_encode($o);")
    assert told == values


@needs_fpm
@pytest.mark.services
def test_what_is_refused_does_go_wrong(folder):
    """The reasons for refusing are still true of this php-fpm."""
    fpm = Fpm(folder, 'env[A] = "x$pool"\nenv[B] = "$NOT_SET_ANYWHERE"\nrequest_terminate_timeout = 500ms')
    assert "request_terminate_timeout = 500s" in fpm.resolved()
    told = fpm.run("echo json_encode(array_map('base64_encode', getenv()));")
    assert (told["A"], told["B"]) == ("xwww", "")


@needs_fpm
@pytest.mark.services
def test_php_fpm_takes_times_modes_and_bools(folder):
    lines = (
        f"request_terminate_timeout = {fpm_time('1m30s')}\nlisten.mode = {octal('0660')}\n"
        f"clear_env = {fpm_bool(False)}\ncatch_workers_output = {fpm_bool('on')}\nprocess.dumpable = {fpm_bool(0)}\n"
        f"php_admin_value[memory_limit] = {fpm_size('64MB')}\n"
    )
    told = Fpm(folder, lines)
    resolved = told.resolved()
    for line in ("request_terminate_timeout = 90s", "listen.mode = 0660", "clear_env = no", "catch_workers_output = yes"):
        assert line in resolved
    assert told.run("echo json_encode(['m' => base64_encode(ini_get('memory_limit'))]);") == {"m": "64M"}
