from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support.services import Stack, free_port, needs_services
from support.sockets import saying

from deploykit.model import Probe
from deploykit.services import supervisor
from deploykit.system import http

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"


def test_the_host_method_and_path_arrive_and_the_answer_comes_back() -> None:
    with saying(OK) as (address, requests):
        answer = http.ask(Probe("http", url=f"http://{address}/a?b=c", host="example.org", method="POST"))
    assert (answer.status, answer.body, answer.error) == (200, b"body", "")
    request = requests[0].decode()
    assert request.startswith("POST /a?b=c HTTP/1.1\r\n")
    assert request.count("Host: example.org") == 1
    assert request.lower().count("host:") == 1


def test_without_a_host_the_address_is_the_host_and_no_path_is_the_root() -> None:
    with saying(OK) as (address, requests):
        assert http.ask(Probe("http", url=f"http://{address}")).status == 200
    assert requests[0].startswith(b"GET / HTTP/1.1\r\n")
    assert f"Host: {address}\r\n".encode() in requests[0]


def test_over_a_unix_socket(tmp_path: Path) -> None:
    name = f"{tmp_path}/x.sock"
    with saying(OK, name) as (_, requests):
        assert http.ask(Probe("http", url=f"http://unix:{name}:/a:b?c")).body == b"body"
        assert http.ask(Probe("http", url=f"http://unix:{name}", host="h")).body == b"body"
    assert b"GET /a:b?c " in requests[0]
    assert b"Host: h\r\n" in requests[1]
    assert b"GET / " in requests[1]


def test_a_redirect_is_an_answer() -> None:
    with saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as (address, requests):
        assert http.ask(Probe("http", url=f"http://{address}/")).status == 302
    assert len(requests) == 1


@pytest.mark.parametrize(
    "answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 what\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
)
def test_what_is_no_http_is_no_answer_or_less_of_one(answer: bytes) -> None:
    with saying(answer) as (address, _):
        told = http.ask(Probe("http", url=f"http://{address}/"))
    assert told.status == 0 or told.body == b"half"
    assert told.error or told.status


def test_a_body_is_read_up_to_a_mebibyte_and_no_longer_than_the_timeout() -> None:
    with saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 << 20)) as (address, _):
        assert len(http.ask(Probe("http", url=f"http://{address}/")).body) == 1 << 20
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", hold=True) as (address, _):
        began = time.monotonic()
        told = http.ask(Probe("http", url=f"http://{address}/", timeout=0.2))
    assert told.status == 0
    assert "timed out" in told.error
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/", "ftp://127.0.0.1/", "nonsense", "http://", "http://[::1/", "http://unix:/nowhere:/"]
)
def test_an_address_that_cannot_be_asked_gives_a_reason(url: str) -> None:
    told = http.ask(Probe("http", url=url, timeout=1))
    assert told.status == 0
    assert told.error


def test_a_refused_connection_says_so() -> None:
    assert "refused" in http.ask(Probe("http", url=f"http://127.0.0.1:{free_port()}/")).error


def test_a_path_with_a_line_break_is_refused_not_sent() -> None:
    with saying(OK) as (address, requests):
        told = http.ask(Probe("http", url="http://unix:/nowhere:/a\r\nX: y"))
        assert told.status == 0
        assert http.ask(Probe("http", url=f"http://{address}/a b")).status == 0
    assert not any(b"X: y" in request for request in requests)


@pytest.mark.services
@needs_services()
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_https_is_unverified_and_the_host_chooses_the_certificate() -> None:
    with Stack(start=False) as stack:
        for name in ("one", "two"):
            make_certificate(stack, name)
        port = free_port()
        stack.write(
            "etc/nginx/conf.d/tls.conf",
            f"server {{ listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }}\n"
            + "".join(
                f"server {{ listen 127.0.0.1:{port} ssl; server_name {name}.test; ssl_certificate {stack.path(name)}.pem;\n"
                f' ssl_certificate_key {stack.path(name)}.key; location / {{ return 200 "$ssl_server_name"; }} }}\n'
                for name in ("one", "two")
            ),
        )
        with stack:
            supervisor.start(stack.nginx, stack.machine)
            answer = http.ask(Probe("http", url=f"https://127.0.0.1:{port}/", host="two.test"))
            assert (answer.status, answer.body) == (200, b"two.test")
            rejected = http.ask(Probe("http", url=f"https://127.0.0.1:{port}/", host="three.test"))
            assert rejected.status == 0
            assert rejected.error
            assert http.ask(Probe("http", url=f"https://127.0.0.1:{stack.port}/")).status == 0


def make_certificate(stack: Stack, name: str) -> None:
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name}.test "
        f"-keyout {stack.path(name)}.key -out {stack.path(name)}.pem".split(),
        check=True,
        capture_output=True,
    )
