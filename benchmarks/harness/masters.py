"""The real services: one nginx and one php-fpm master below the private root, started, watched and stopped by PID."""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, FrozenSet, Tuple

from harness.layout import PATH, Layout

QUIET = 0.3
FILES = 16384


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Marks:
    """What tells a reload: the PIDs of nginx's workers, and how often php-fpm has said that it reloads."""

    workers: FrozenSet[int]
    fpm_reloads: int

    def since(self, before: Marks) -> Tuple[bool, int]:
        """(has nginx reloaded, how often php-fpm has reloaded) since ``before``."""
        return not self.workers & before.workers, self.fpm_reloads - before.fpm_reloads


class Masters:
    """Both masters as children of the harness, in the foreground, so that none outlives it unnoticed."""

    def __init__(self, layout: Layout, port: int) -> None:
        self.layout = layout
        self.port = port
        self.nginx: subprocess.Popen[bytes] | None = None
        self.fpm: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start whichever does not run."""
        if self.fpm is None or self.fpm.poll() is not None:
            self.fpm = _spawn(f"/usr/sbin/php-fpm{self.layout.php}", "--nodaemonize", "-y", f"{self.layout.fpm}/php-fpm.conf")
        if self.nginx is None or self.nginx.poll() is not None:
            self.nginx = _spawn("/usr/sbin/nginx", "-g", "daemon off;", "-c", f"{self.layout.nginx}/nginx.conf")
        _wait_for(lambda: bool(_children(self._pids[0])) and "ready to handle" in self._log(), 10.0)
        self.settle()

    def stop(self) -> None:
        """End both, hard if need be."""
        for master in (self.nginx, self.fpm):
            if master is None or master.poll() is not None:
                continue
            master.send_signal(signal.SIGTERM)
            try:
                master.wait(5)
            except subprocess.TimeoutExpired:
                master.kill()
                master.wait()

    def alive(self) -> bool:
        """Do both masters run?"""
        return all(master is not None and master.poll() is None for master in (self.nginx, self.fpm))

    def reload(self) -> None:
        """Ask both to read their files again (used between runs, never inside a measured one)."""
        nginx, fpm = self._pids
        os.kill(nginx, signal.SIGHUP)
        os.kill(fpm, signal.SIGUSR2)
        time.sleep(0.1)
        self.settle()

    def settle(self, seconds: float = 30.0) -> bool:
        """Wait until no old worker is left, php-fpm is ready and neither has used the CPU for 0.3 s; False when they do not."""
        deadline = time.monotonic() + seconds
        ticks, since = self._ticks(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(0.05)
            now = self._ticks()
            if now != ticks or not self._ready():
                ticks, since = now, time.monotonic()
            elif time.monotonic() - since >= QUIET:
                return True
        return False

    def marks(self) -> Marks:
        """The marks as they are now."""
        return Marks(frozenset(_children(self._pids[0])), self._log().count("reloading: execvp"))

    def nginx_reloads(self) -> int:
        """How often nginx has been asked to reload since its log began."""
        return _read(f"{self.layout.root}/var/log/nginx/error.log").count(b"signal 1 (SIGHUP) received")

    def serves(self, host: str, text: str) -> bool:
        """Does nginx answer for ``host`` with a 200 that contains ``text``?"""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", "/", headers={"Host": host})
                answer = connection.getresponse()
                return answer.status == 200 and text in answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return False

    @property
    def _pids(self) -> Tuple[int, int]:
        if self.nginx is None or self.fpm is None:
            raise SystemExit("benchmark: the services were never started")
        return self.nginx.pid, self.fpm.pid

    def _ready(self) -> bool:
        said = [line for line in self._log().splitlines() if "ready to handle" in line or "reloading: execvp" in line]
        old = [pid for pid in _children(self._pids[0]) if b"shutting down" in _read(f"/proc/{pid}/cmdline")]
        return not old and bool(said) and "ready to handle" in said[-1]

    def _ticks(self) -> Tuple[int, ...]:
        family = [pid for master in self._pids for pid in (master, *_children(master))]
        return (*family, *(sum(map(int, stat[11:13])) for stat in map(_stat, family) if stat))

    def _log(self) -> str:
        return _read(self.layout.fpm_log).decode("utf-8", "replace")


def _spawn(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv, env={"PATH": PATH}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=True
    )


def allow_files() -> None:
    """Raise the limit of open files for the masters, as far as this machine lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _wait_for(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit("benchmark: nginx or php-fpm did not start")
        time.sleep(0.02)


def _children(pid: int) -> Tuple[int, ...]:
    return tuple(map(int, _read(f"/proc/{pid}/task/{pid}/children").split()))


def _stat(pid: int) -> Tuple[bytes, ...]:
    return tuple(_read(f"/proc/{pid}/stat").rpartition(b")")[2].split())


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""
