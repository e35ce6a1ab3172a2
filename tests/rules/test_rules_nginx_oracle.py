"""What the rules know about nginx, against nginx itself: values, things that stand once, expressions, choice of locations."""

from __future__ import annotations

import http.client
import random
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from deploykit.parsers import nginx
from deploykit.parsers.tree import Tree
from deploykit.rules.nginx_kinds import ONCE
from deploykit.rules.nginx_layout import Layout
from deploykit.rules.nginx_regex import fault
from deploykit.rules.nginx_words import wrong

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = [pytest.mark.services, pytest.mark.skipif(not NGINX, reason="nginx is not installed")]

VALUES = {
    "client_body_buffer_size": ("8k", "1m", "0", "10", "1.5k", "10MB", "1g", "off", "8 k"),
    "client_max_body_size": ("1g", "8k", "0", "10MB", "1.5g", "10Mi", "off"),
    "send_timeout": ("1s", "10ms", "1m", "1h30m", "5", "1.5s", "1sec", "1d", "1M", "1y", "10S", "1h 30m", "1m500ms", "s"),
    "ssl_session_timeout": ("1s", "10ms", "1h30m", "1d12h", "1y", "1M", "1.5h"),
    "keepalive_requests": ("1", "0", "1k", "-1", "1.0", "010"),
    "gzip_comp_level": ("1", "9", "0", "10", "x"),
    "sendfile": ("on", "off", "yes", "1", "true"),
    "gzip_buffers": ("4 8k", "0 8k", "4 8x", "x 8k"),
    "error_page": ("404 /x", "299 /x", "499 /x", "600 /x", "404 =200 /x", "404 502 /x", "abc /x"),
    "return": ("204", "301 /x", "https://x/", "1000", "abc", "444"),
    "limit_req_zone": ("$uri zone=a:1m rate=1r/s", "$uri zone=a:1m rate=1r", "$uri zone=a rate=1r/s", "$uri rate=1r/s"),
    "ssl_protocols": ("TLSv1.2 TLSv1.3", "TLSv1.4", "tlsv1.2"),
    "ssl_session_cache": ("shared:a:1m", "off", "none", "builtin:10", "shared:a", "shared:a:x", "on"),
    "satisfy": ("all", "any", "none"),
    "error_log": ("stderr warn", "stderr loud"),
    "keepalive_timeout": ("5s", "5s 6s", "5x", "5s 6x"),
    "limit_req_status": ("429", "200", "600"),
}
LISTENS = ("127.0.0.1:{port}", "127.0.0.1:80800", "127.0.0.1:0", "127.0.0.1:{port} backlog=5", "127.0.0.1:{port} sll")
LISTENS += ("127.0.0.1:{port} backlog=x", "127.0.0.1:{port} reuseport so_keepalive=on", "localhost:{port}", "127.0.0.1:")
TWICE = {
    "root": "/x",
    "client_max_body_size": "1m",
    "server_tokens": "off",
    "keepalive_timeout": "5s",
    "add_header": "A b",
    "error_page": "404 /x",
    "index": "a",
    "gzip_types": "a/b",
    "access_log": "off",
    "try_files": "$uri =404",
    "rewrite": "a b",
    "resolver": "127.0.0.1",
    "limit_rate": "1k",
    "fastcgi_param": "A b",
    "fastcgi_index": "x",
    "allow": "all",
    "expires": "1h",
    "auth_basic": "x",
    "ssl_ciphers": "HIGH",
    "proxy_http_version": "1.1",
    "return": "204",
}


def within(line: str, folder: Path, port: int, level: str = "server") -> str:
    paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    server = f"server {{ listen 127.0.0.1:{port}; {line if level == 'server' else ''}\n }}"
    if level == "listen":
        server = f"server {{ {line}\n }}"
    http_lines = f"access_log off; {paths} {line if level == 'http' else ''}\n"
    return f"pid {folder}/pid;\nerror_log stderr crit;\nevents {{}}\nhttp {{ {http_lines} {server} }}\n"


def told(text: str, folder: Path) -> str:
    """nginx's objection, ``""`` for none."""
    main = folder / "nginx.conf"
    main.write_text(text)
    command = [str(NGINX), "-t", "-e", "stderr", "-p", f"{folder}/", "-c", str(main)]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False, text=True)
    return ran.stderr if ran.returncode else ""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str, tmp_path: Path, port: int) -> None:
    level = "http" if name == "limit_req_zone" else "server"
    for value in VALUES[name]:
        quoted = f'"{value}"' if name in ("client_body_buffer_size", "send_timeout") else value
        real = told(within(f"{name} {quoted};", tmp_path, port, level), tmp_path)
        words = (value,) if quoted != value else tuple(value.split())
        assert bool(wrong(name, words)[0]) == bool(real), f"{name} {value}: we {wrong(name, words)}, nginx {real!r}"


def test_listens(tmp_path: Path, port: int) -> None:
    for pattern in LISTENS:
        value = pattern.format(port=port)
        real = told(within(f"listen {value};", tmp_path, port, "listen"), tmp_path)
        said = wrong("listen", tuple(value.split()))[0]
        assert bool(said) == bool(real), f"listen {value}: we {said!r}, nginx {real!r}"


def test_what_may_stand_once(tmp_path: Path, port: int) -> None:
    for name, value in TWICE.items():
        real = told(within(f"{name} {value}; {name} {value};", tmp_path, port), tmp_path)
        assert ("is duplicate" in real) == (name in ONCE), f"{name}: nginx {real!r}"


PIECES = ["a", "b", "\\.", ".", "*", "+", "?", "(", ")", "(?:", "(?=", "(?<n>", "(?i)", "[", "[^", "]", "[a-z]", "[z-a]", "\\d"]
PIECES += ["{2}", "{2,1}", "{", "|", "^", "$", "(?>", "[:alpha:]", "[[:alpha:]]", "++", "{1,}", "(?x", "(?P<k>"]


@pytest.mark.parametrize("seed", range(2))
def test_no_expression_that_compiles_is_refused(seed: int, tmp_path: Path, port: int) -> None:
    """The other direction need not hold: what is exotic passes here."""
    chance = random.Random(seed)
    seen = 0
    for _ in range(80):
        pattern = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 6)))
        said = fault(pattern)
        real = told(within(f'location ~ "{pattern}" {{ return 204; }}', tmp_path, port), tmp_path)
        seen += bool(said)
        assert not said or "pcre" in real, f"{pattern}: we {said!r}, nginx {real!r}"
    assert seen > 5


LOCATIONS = (
    "/",
    "/a",
    "/a/",
    "/a/b",
    "= /a",
    "= /",
    "^~ /a/",
    "^~ /b",
    "~ \\.php$",
    "~ ^/a",
    "~* \\.PNG$",
    "~ b",
    "= /a/b.php",
)
ASKED = ("/", "/a", "/a/", "/a/b", "/a/b.php", "/b", "/b/x.php", "/x.png", "/c/b", "/a.php", "/ab", "/index.php", "/q")


def random_servers(chance: random.Random, count: int) -> list[str]:
    return [_random_block(chance, f"s{number}", 2) for number in range(count)]


def _random_block(chance: random.Random, label: str, depth: int) -> str:
    text = ""
    for number, head in enumerate(dict.fromkeys(chance.choices(LOCATIONS, k=chance.randint(1, 5)))):
        if any(f"location {twin} " in text for twin in (f"^~ {head}", head.replace("^~ ", ""))):
            continue
        own = f"{label}.{number}"
        nested = depth and not head.startswith("=") and chance.random() < 0.3
        # A location may only hold others that lie below it; a regular expression always may.
        inner = f"location ~ {chance.choice(('b', 'php', 'x'))} {{ return 200 {own}.in; }}" if nested else ""
        text += f"location {head} {{ {inner} return 200 {own}; }}\n"
    return text


@pytest.fixture
def served(tmp_path: Path, port: int) -> Iterator[tuple[Layout, int]]:
    """A running nginx with many servers of random locations, and our layout of its configuration."""
    servers = random_servers(random.Random(7), 60)
    blocks = "".join(
        f"server {{ listen 127.0.0.1:{port}; server_name s{number}.test; {text} }}\n" for number, text in enumerate(servers)
    )
    text = re.sub(r"server \{ listen [^\n]*\n \}", lambda _: blocks, within("", tmp_path, port))
    main = tmp_path / "nginx.conf"
    main.write_text(f"daemon off; master_process off;\n{text}")
    tree = Tree({str(main): main.read_bytes()})
    command = [str(NGINX), "-e", "stderr", "-p", f"{tmp_path}/", "-c", str(main)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _await(port, running)
        yield Layout(nginx.parse(str(main), tree.read, tree.glob)), port
    finally:
        running.terminate()
        running.communicate(timeout=30)


def _await(port: int, running: subprocess.Popen[str]) -> None:
    for _ in range(200):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert running.poll() is None, running.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def test_the_location_that_nginx_chooses(served: tuple[Layout, int]) -> None:
    layout, port = served
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    compared = 0
    for server in layout.servers:
        for path in ASKED:
            asked.request("GET", path, headers={"Host": server.names[0]})
            answer = asked.getresponse()
            body = answer.read().decode().strip()
            location = server.target(path)
            ours = location.own("return")[0].args[1] if location else ""
            assert ours == (body if answer.status == 200 else ""), (server.names[0], path, answer.status)
            compared += answer.status == 200
    asked.close()
    assert compared > 200
