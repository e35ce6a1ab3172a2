"""A trial ends: by itself, at its deadline, or with the program that asked for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterator

import pytest
from support.trial_site import NGINX, PHP, Site, new_site, processes_of

import deploykit
from deploykit.model import Probe, TrialService
from deploykit.system import processes
from deploykit.system.trial import rehearse

pytestmark = [
    pytest.mark.services,
    pytest.mark.root,
    pytest.mark.skipif(not (NGINX and PHP), reason="nginx and php-fpm are not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the real paths can be covered by root only"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.fixture
def site() -> Iterator[Site]:
    made = new_site()
    try:
        yield made
    finally:
        shutil.rmtree(made.root)


def fake(site: Site, text: str) -> TrialService:
    path = site.root / "fake-nginx"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return replace(site.nginx, start=(str(path),), test=(str(path), "-t"))


def within(seconds: float, done: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_a_service_that_hangs_is_ended(site: Site) -> None:
    hung = fake(site, f"echo waiting for the moon; exec tail -f {site.root}/etc/nginx/nginx.conf")
    started = time.monotonic()
    result = rehearse(site.trial(services=(hung, site.fpm), seconds=1.5))
    assert time.monotonic() - started < 5
    assert [(problem.kind, problem.service) for problem in result.problems] == [("timeout", "nginx")]
    assert "waiting for the moon" in result.problems[0].output
    assert not result.rehearsed
    assert processes_of(site) == []


def test_a_service_that_lies_about_its_start(site: Site) -> None:
    result = rehearse(site.trial(services=(fake(site, "exit 0"), site.fpm)))
    assert [(problem.kind, problem.service) for problem in result.problems] == [("nginx-test", "nginx")]
    assert f"status 0, but no running process is in {site.nginx.pid_file}" in result.problems[0].output


def test_a_service_that_ends_a_moment_later(site: Site) -> None:
    (site.root / "tmp").chmod(0o777)
    end = site.write("www/end.php", "<?php touch('{root}/tmp/end'); usleep(300000); echo 'done';")
    brief = fake(site, f"(until test -e {site.root}/tmp/end; do sleep 0.01; done) & echo $! > {site.nginx.pid_file}")
    probe = Probe("fastcgi", address=f"unix:{site.root}/run/php/app.sock", path=str(end), body="done")
    result = rehearse(site.trial(services=(brief, site.fpm), probes=(probe,)))
    assert [problem.output for problem in result.problems] == ["nginx started, and ended by itself a moment later"]


def test_a_service_that_cannot_be_executed(site: Site) -> None:
    broken = fake(site, "")
    Path(broken.start[0]).write_bytes(b"\x7fELF nonsense")
    result = rehearse(site.trial(services=(broken, site.fpm)))
    assert "Exec format error" in result.problems[0].output


def test_a_fork_bomb_of_daemons_ends_with_the_trial(site: Site) -> None:
    many = fake(site, f"for i in 1 2 3 4 5; do setsid tail -f {site.root}/etc/nginx/nginx.conf & done; exit 1")
    rehearse(site.trial(services=(many, site.fpm)))
    assert processes_of(site) == []


def test_killed_in_the_middle_nothing_is_left(site: Site) -> None:
    """SIGKILL: no handler runs, the kernel alone ends nginx, php-fpm and the namespaces."""
    hung = fake(site, f"exec tail -f {site.root}/etc/nginx/nginx.conf")
    code = f"""
import sys
sys.path[:0] = {[str(Path(deploykit.__file__).parent.parent), str(Path(__file__).parent.parent)]!r}
from pathlib import Path
from support.trial_site import Site
from deploykit.model import Probe, TrialService
from deploykit.system.trial import rehearse
site = Site(Path({str(site.root)!r}), {site.port})
rehearse(site.trial(services=({hung!r}, site.fpm), seconds=60.0))
"""
    before = site.look()
    with subprocess.Popen([sys.executable, "-c", code]) as program:
        both = within(20, lambda: _has("php-fpm: pool", site) and _has("tail -f", site))
        program.send_signal(signal.SIGKILL)
        program.wait()
    assert both
    assert within(10, lambda: processes_of(site) == [])
    assert str(site.root) not in Path("/proc/self/mountinfo").read_text()
    assert site.look() == before


def _has(words: str, site: Site) -> bool:
    return any(words in line for line in processes_of(site))


def test_interrupted_by_an_exception_nothing_is_left(site: Site) -> None:
    class InterruptedTestError(Exception):
        pass

    def interrupt(number: int, frame: object) -> None:
        raise InterruptedTestError

    hung = fake(site, f"exec tail -f {site.root}/etc/nginx/nginx.conf")
    former = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(InterruptedTestError):
            rehearse(site.trial(services=(hung, site.fpm), seconds=60.0))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert processes_of(site) == []


def test_open_files_of_ours_stay_ours_and_none_is_new(site: Site) -> None:
    before, family = sorted(os.listdir("/proc/self/fd")), processes.children(os.getpid())
    rehearse(site.trial())
    rehearse(site.trial(services=(fake(site, "exit 3"),)))
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert processes.children(os.getpid()) == family
