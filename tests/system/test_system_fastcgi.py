from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest
from support.services import Stack, free_port, needs_services
from support.sockets import saying

from deploykit.system import fastcgi

HEAD = b"X: y\r\n\r\n"
END = b"\1\3\0\1\0\x08\0\0" + bytes(8)


def out(text: bytes, kind: int = 6, padding: int = 0) -> bytes:
    return bytes((1, kind, 0, 1)) + len(text).to_bytes(2, "big") + bytes((padding, 0)) + text + bytes(padding)


@pytest.mark.services
@needs_services()
class TestRealPhpFpm:
    def test_a_pool_answers_its_ping_status_and_pages(self) -> None:
        with Stack() as stack:
            address = f"unix:{stack.php.socket}"
            ping = fastcgi.ask(address, "/ping", 5)
            assert (ping.status, ping.body, ping.error) == (200, b"pong", "")
            status = json.loads(fastcgi.ask(address, "/fpm-status", 5, "json").body)
            assert status["pool"] == "www"
            assert b"pool:" in fastcgi.ask(stack.php.socket, "/fpm-status", 5).body
            page = fastcgi.ask(address, stack.path("var/www/html/page.php?name=somebody"), 5)
            assert (page.status, page.body) == (200, b"page of somebody\n")

    def test_a_missing_script_is_404_and_says_why(self) -> None:
        with Stack() as stack:
            answer = fastcgi.ask(stack.php.socket, "/nowhere.php", 5)
        assert answer.status == 404
        assert "Primary script unknown" in answer.error

    def test_a_status_that_the_script_sets_and_a_large_body_come_through(self) -> None:
        with Stack() as stack:
            script = stack.write("var/www/html/big.php", "<?php http_response_code(503); echo str_repeat('x', 300000);")
            answer = fastcgi.ask(stack.php.socket, script, 5)
        assert (answer.status, len(answer.body)) == (503, 300000)

    def test_a_slow_page_ends_at_the_limit(self) -> None:
        with Stack() as stack:
            began = time.monotonic()
            answer = fastcgi.ask(stack.php.socket, stack.path("var/www/html/page.php?ms=5000"), 0.2)
        assert answer.status == 0
        assert "timed out" in answer.error
        assert time.monotonic() - began < 4


def test_records_may_be_padded_split_and_mixed_with_stderr() -> None:
    answer = (
        out(b"Status: 201 Created\r\nX: y\r\n", padding=5) + out(b"a warning\n", kind=7) + out(b"\r\nbo") + out(b"dy") + END
    )
    with saying(answer) as (address, requests):
        told = fastcgi.ask(address, "/x?a=b", 5)
    assert (told.status, told.body, told.error) == (201, b"body", "a warning")
    assert requests[0].startswith(b"\1\1\0\1\0\x08\0\0\0\1\0")
    assert b"QUERY_STRINGa=b" in requests[0]


def test_long_values_have_four_bytes_of_length() -> None:
    with saying(out(b"\r\n") + END) as (address, requests):
        assert fastcgi.ask(address, "/" + "x" * 300, 5).status == 200
    assert b"\x0b\x80\x00\x01\x2dSCRIPT_NAME/xxx" in requests[0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "closed the connection"),
        (out(b"Status: 200\r\n\r\nhalf")[:-2], "closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak FastCGI"),
        (b"\1\3\0\1\0\x08\0\0\0\0\0\0\2\0\0\0", "overloaded"),
        (b"\1\3\0\1\0\0\0\0", "refused the request"),
        (out(b"Status: what\r\n\r\n") + END, ""),
    ],
)
def test_an_answer_that_is_not_whole_is_no_answer(answer: bytes, error: str) -> None:
    with saying(answer) as (address, _):
        told = fastcgi.ask(address, "/ping", 5)
    assert told.status == 0
    assert error in told.error


def test_a_service_that_never_ends_its_answer_is_cut_off_at_a_mebibyte() -> None:
    with saying(out(HEAD) + out(b"x" * 65535) * 17, hold=True) as (address, _):
        told = fastcgi.ask(address, "/", 10)
    assert (told.status, len(told.body)) == (200, 1 << 20)


def test_over_ipv6_and_unix() -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with saying(out(HEAD + b"six") + END, ("::1", 0), family=socket.AF_INET6) as (address, _):
        port = address.rpartition(":")[2]
        assert fastcgi.ask(f"[::1]:{port}", "/", 5).body == b"six"


@pytest.mark.parametrize(
    "address", ["unix:/nowhere/x.sock", "unix:/" + "x" * 200, "nonsense", "127.0.0.1:99999", "[::1:80", ""]
)
def test_an_address_where_nobody_is_gives_a_reason_that_names_it(address: str) -> None:
    told = fastcgi.ask(address, "/ping", 1)
    assert told.status == 0
    assert told.error.startswith(f"{address}: ")
    assert len(told.error) > len(address) + 8


def test_a_refused_connection_and_a_mere_port() -> None:
    assert "refused" in fastcgi.ask(f"127.0.0.1:{free_port()}", "/ping", 1).error
    with saying(out(HEAD + b"here") + END) as (address, _):
        assert fastcgi.ask(address.rpartition(":")[2], "/", 5).body == b"here"


def test_a_path_that_does_not_fit_is_refused_without_a_traceback() -> None:
    with saying(out(b"\r\n") + END) as (address, _):
        assert "too long" in fastcgi.ask(address, "/" + "x" * 70000, 5).error
