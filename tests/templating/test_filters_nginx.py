"""Values for nginx: what the filters write, and what a real nginx reads back."""

from __future__ import annotations

import http.client
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Iterator, List

import pytest
from support.services import free_port

from deploykit.errors import InvalidInput
from deploykit.templating.filters_nginx import nginx_onoff, nginx_quote, nginx_size, nginx_time
from deploykit.templating.values import FilterError

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") or ""
needs_nginx = pytest.mark.skipif(not NGINX, reason="nginx is not installed")
TRICKY = [
    "",
    " ",
    "'",
    '"',
    "\\",
    '\\"',
    "a\\",
    "\\n",
    "\\t\\r",
    ";",
    "{}",
    "#",
    "a b",
    "\n",
    "\r\n",
    "\t",
    "~x",
    "off",
    "''",
    "ü€😀",
    "a\n\nb",
]
CHARACTERS = "\"'\\;{}#%&|<>()[]=~^!*?+-_.:,/@ \t\nabnrt01üß€"


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ("a b", '"a b"'),
        (80, '"80"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("two\nlines", '"two\nlines"'),
        ("", '""'),
    ],
)
def test_quote(value, output):
    assert nginx_quote(value) == output


@pytest.mark.parametrize("value", ["cost $5", "$", "${x}", "a\0b", "x" * 4001, "ü" * 2100, None, True, 1.5, ["a"]])
def test_quote_refuses(value):
    with pytest.raises(FilterError):
        nginx_quote(value)


def test_quote_lets_variables_through_when_told():
    assert nginx_quote("$host/${uri}", allow_variables=True) == '"$host/${uri}"'


@pytest.mark.parametrize(
    ("value", "output"), [(True, "on"), (False, "off"), ("yes", "on"), ("OFF", "off"), ("No", "off"), (1, "on")]
)
def test_onoff(value, output):
    assert nginx_onoff(value) == output


SIZES = [
    ("10m", "10m"),
    ("10M", "10m"),
    ("10MB", "10m"),
    ("10MiB", "10m"),
    ("8 k", "8k"),
    ("2g", "2048m"),
    (4096, "4096"),
    ("0", "0"),
    ("10b", "10"),
]
TIMES = [
    ("1m30s", "1m30s"),
    ("500ms", "500ms"),
    (30, "30s"),
    ("30", "30s"),
    ("1h 30m", "1h30m"),
    ("1m30", "1m30s"),
    (0, "0s"),
    ("1d12h", "1d12h"),
]


@pytest.mark.parametrize(("value", "output"), SIZES)
def test_size(value, output):
    assert nginx_size(value) == output


@pytest.mark.parametrize(("value", "output"), TIMES)
def test_time(value, output):
    assert nginx_time(value) == output


@pytest.mark.parametrize(
    ("filter_", "value"),
    [
        *((nginx_onoff, value) for value in ("maybe", "", None, 2, "onn", 1.0)),
        *((nginx_size, value) for value in ("1.5g", "10t", "-1", "", "m", "10mm", None, True, 1.5, "1e3", "٣m")),
        *(
            (nginx_time, value)
            for value in ("1.5m", "1H", "-1", "", "s", "30s1m", "1s1s", "1s30", None, True, 0.5, "1 day", "1min", "1M", "1y")
        ),
    ],
)
def test_refused(filter_, value):
    with pytest.raises(FilterError) as error:
        filter_(value)
    assert error.value.hint


def test_a_refusal_is_at_the_templates_line(rendered):
    with pytest.raises(InvalidInput, match="character 6") as error:
        rendered("a\nadd_header X {{ x | nginx_quote }};\n", x="cost $5")
    assert str(error.value.at) == "config_templates/t.j2:2"
    assert "geo $dollar" in error.value.hint


def samples(extra: str = "") -> List[str]:
    chosen = random.Random(20)
    return TRICKY + ["".join(chosen.choices(CHARACTERS + extra, k=chosen.randint(1, 30))) for _ in range(400)]


class Nginx:
    """A real nginx with one server at ``port`` and the given lines in it."""

    def __init__(self, folder: Path, lines: str, http_lines: str = "") -> None:
        self.port = free_port()
        self.conf = folder / "nginx.conf"
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
        )
        whole = (
            f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{http_lines}\n"
            f"server {{\nlisten 127.0.0.1:{self.port};\n{lines}\n}}\n}}\n"
        )
        self.conf.write_bytes(whole.encode())
        self.argv = [NGINX, "-p", str(folder), "-c", str(self.conf), "-e", str(folder / "error.log")]

    def test(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.argv, "-t"], capture_output=True, text=True, check=False, timeout=20)

    def answers(self, count: int) -> Iterator[str]:
        """The bodies of /0, /1, ... as nginx sends them."""
        process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wire = self._connected()
            for number in range(count):
                wire.request("GET", f"/{number}")
                yield wire.getresponse().read().decode()
            wire.close()
        finally:
            process.terminate()
            process.wait(10)

    def _connected(self) -> http.client.HTTPConnection:
        for _ in range(200):
            wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                wire.connect()
                return wire
            except OSError:
                time.sleep(0.05)
        raise AssertionError("nginx does not start")


def locations(values: List[str]) -> str:
    return "keepalive_requests 100000;\n" + "".join(
        f"location = /{place} {{ return 200 {value}; }}\n" for place, value in enumerate(values)
    )


@needs_nginx
@pytest.mark.services
def test_nginx_reads_back_what_was_quoted(tmp_path):
    values = samples()
    nginx = Nginx(tmp_path, locations([nginx_quote(value) for value in values]))
    assert nginx.test().returncode == 0
    assert list(nginx.answers(len(values))) == values


@needs_nginx
@pytest.mark.services
def test_nginx_reads_back_dollars_written_as_the_hint_says(tmp_path):
    values = samples(extra="$$$$")
    quoted = [nginx_quote(value.replace("$", "${dollar}"), allow_variables=True) for value in values]
    nginx = Nginx(tmp_path, locations(quoted), 'geo $dollar { default "$"; }')
    assert list(nginx.answers(len(values))) == values


@needs_nginx
@pytest.mark.services
@pytest.mark.parametrize("before", [0, 1, 500, 1000])
def test_nginx_takes_the_longest_value(tmp_path, before):
    quoted = nginx_quote("x" * 3998)
    assert len(quoted) == 4000
    assert Nginx(tmp_path, f"#{'y' * before}\n{locations([quoted])}").test().returncode == 0
    too_long = Nginx(tmp_path, locations(['"' + "x" * 4200 + '"'])).test()
    assert "too long parameter" in too_long.stderr


@needs_nginx
@pytest.mark.services
def test_nginx_takes_sizes_and_times(tmp_path):
    sizes = "".join(
        f"location /s{n} {{ client_max_body_size {out}; client_body_buffer_size {out}; }}\n" for n, (_, out) in enumerate(SIZES)
    )
    times = "".join(f"location /t{n} {{ proxy_read_timeout {out}; }}\n" for n, (_, out) in enumerate(TIMES))
    tested = Nginx(tmp_path, sizes + times).test()
    assert tested.returncode == 0, tested.stderr
