from __future__ import annotations

import threading
import time
from typing import Iterator, List

import pytest
from support.services import Stack, free_port, needs_services, real_machine
from support.sockets import saying

from deploykit.errors import Failed, Location
from deploykit.model import Answer, Probe
from deploykit.stages.verify import complaint, question, verify

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"


def test_a_right_answer_is_said_and_the_probes_are_asked_in_turn() -> None:
    said: List[str] = []
    with saying(OK) as (address, requests):
        probes = [Probe("http", url=f"http://{address}/{name}", host="a.test", body="bod") for name in ("one", "two")]
        verify(probes, real_machine(), 10, said.append)
    assert [request.split()[1] for request in requests] == [b"/one", b"/two"]
    assert said == [f"GET http://{address}/{name} (Host: a.test) answered 200" for name in ("one", "two")]
    verify([], real_machine(), 10, said.append)


def test_a_wrong_status_is_told_with_tries_time_and_hint() -> None:
    with saying(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") as (address, requests):
        probe = Probe("http", url=f"http://{address}/", host="x", within=0.4, at=Location("deploykit.yml", 7))
        with pytest.raises(Failed) as failed:
            verify([probe], real_machine(), 10, str)
    message = failed.value.message
    assert message.startswith(f"GET http://{address}/ (Host: x) answered 502, expected 200, after {len(requests)} tries in 0.")
    assert 2 <= len(requests) <= 6
    assert "fastcgi_pass" in failed.value.hint
    assert str(failed.value).startswith("deploykit.yml:7: GET")


@pytest.mark.parametrize(
    ("probe", "answer", "said"),
    [
        (Probe("http", expect=(200, 301)), Answer(301), None),
        (Probe("http", expect=(200, 301)), Answer(404), "answered 404, expected 200 or 301"),
        (Probe("http", body="v2"), Answer(200, b"this is v2."), None),
        (Probe("http", body="é"), Answer(200, "é".encode()), None),
        (Probe("http", body="v2"), Answer(200, b"v1"), "answered 200 without 'v2' in its 2 bytes"),
        (Probe("http"), Answer(0, error="Connection refused"), "did not answer (Connection refused)"),
        (Probe("fastcgi"), Answer(404, error="Primary script unknown"), "answered 404 (Primary script unknown), expected 200"),
    ],
)
def test_what_counts(probe: Probe, answer: Answer, said: str) -> None:
    assert complaint(probe, answer) == said


def test_questions_read_as_one_would_ask_them() -> None:
    assert question(Probe("http", url="http://h/", method="HEAD")) == "HEAD http://h/"
    assert question(Probe("fastcgi", address="unix:/x.sock", path="/ping")) == "FastCGI unix:/x.sock /ping"


def test_a_service_that_comes_late_is_waited_for() -> None:
    port = free_port()
    ended = threading.Event()

    def serve_late() -> None:
        time.sleep(0.4)
        with saying(OK, ("127.0.0.1", port)):
            ended.wait()

    serving = threading.Thread(target=serve_late)
    serving.start()
    said: List[str] = []
    try:
        verify([Probe("http", url=f"http://127.0.0.1:{port}/")], real_machine(), 20, said.append)
    finally:
        ended.set()
        serving.join()
    assert "answered 200 at try " in said[0]


def test_the_time_for_all_ends_each() -> None:
    began = time.monotonic()
    with pytest.raises(Failed, match="did not answer") as failed:
        verify([Probe("http", url=f"http://127.0.0.1:{free_port()}/", within=60)], real_machine(), 0.3, str)
    assert time.monotonic() - began < 10
    assert "listen" in failed.value.hint


def test_a_service_that_hangs_is_cut_off_at_the_end() -> None:
    began = time.monotonic()
    with saying(b"", hold=True) as (address, _), pytest.raises(Failed, match=r"timed out\), after 1 try"):
        verify([Probe("http", url=f"http://{address}/", timeout=60, within=0.3)], real_machine(), 60, str)
    assert time.monotonic() - began < 10


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as started:
        yield started


@pytest.mark.services
@needs_services()
def test_real_services_over_http_and_fastcgi(stack: Stack) -> None:
    address = f"unix:{stack.php.socket}"
    said: List[str] = []
    probes = [
        stack.probe("/page.php?name=x", body="page of x"),
        Probe("fastcgi", address=address, path="/ping", body="pong"),
        Probe("fastcgi", address=address, path="/nothing", expect=(404,)),
    ]
    verify(probes, stack.machine, 10, said.append)
    assert len(said) == 3
    stack.kill(stack.php)
    with pytest.raises(Failed, match="answered 502, expected 200"):
        verify([stack.probe("/page.php", within=0.2)], stack.machine, 10, str)
    with pytest.raises(Failed, match=r"FastCGI unix:.* did not answer"):
        verify([Probe("fastcgi", address=address, path="/ping", within=0.2)], stack.machine, 10, str)
