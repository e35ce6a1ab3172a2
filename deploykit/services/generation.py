"""One generation of a service's processes, and how to watch the next one come.

A reload is proved by its processes alone: exit statuses and supervisors say "reloaded" whatever came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Tuple

from deploykit.model import Running, Service
from deploykit.system.port import Readable

TICKS = 100  # USER_HZ, in which /proc counts: 100 on every architecture that nginx and php-fpm run on under Linux
CLEARLY = 0.02  # seconds, two ticks: files and processes are dated by clocks that tick every 4 to 10 ms


@dataclass(frozen=True)
class Generation:
    """The processes that serve now: master, its workers that take new requests, and what tells them from the next ones.

    family: all children, those too that are shutting down or so new that they have no title yet.
    pid_written: modification time of the pid file in ns, 0 when it is not there. log_size: bytes in the error log.
    """

    master: Optional[Running]
    workers: Tuple[Running, ...]
    family: Tuple[Running, ...] = ()
    pid_written: int = 0
    log_size: int = 0

    def is_after(self, before: Generation) -> bool:
        """Is none of the workers from ``before``? Told by number and start time: a number may be given out again."""
        former = {(child.pid, child.started) for child in before.family}
        return not any((worker.pid, worker.started) in former for worker in self.workers)


def master(service: Service, machine: Readable) -> Optional[Running]:
    """The service's master process; None when it does not run or its pid file has come to name another program."""
    found = machine.master(service.pid_file)
    return found if found and service.name in found.title else None


def look(service: Service, machine: Readable, title: str) -> Generation:
    """The generation whose workers' titles begin with ``title`` (and do not say that they are shutting down)."""
    found = master(service, machine)
    family = machine.children(found.pid) if found else ()
    return Generation(
        found,
        tuple(child for child in family if child.title.startswith(title) and "shutting down" not in child.title),
        family,
        machine.find(service.pid_file).mtime_ns,
        machine.find(service.error_log).size,
    )


def began(one: Running, machine: Readable) -> float:
    """When a process started, in seconds since 1970 by today's wall clock; up to 10 ms early, as ticks are."""
    up = float(machine.read("/proc/uptime").split()[0])
    monotonic = machine.monotonic()  # the finer clock, but it stands still while a laptop sleeps
    return machine.wall_clock() - (monotonic if abs(up - monotonic) < 0.1 else up) + one.started / TICKS


def let_files_age(service: Service, machine: Readable) -> None:
    """Wait until the service's files are older than any process to come is by its start time, which counts in 10 ms."""
    age = machine.wall_clock() - machine.newest_change(service.writable)
    if 0 <= age < 2 * CLEARLY:
        machine.sleep(2 * CLEARLY - age)


def log_since(service: Service, machine: Readable, offset: int) -> Tuple[str, ...]:
    """Lines that the service's error log gained since it had ``offset`` bytes; all of it when it was rotated since."""
    if machine.find(service.error_log).kind != "file":
        return ()
    start = offset if machine.find(service.error_log).size >= offset else 0
    return tuple(machine.ask(("tail", "-c", f"+{start + 1}", service.error_log)).output.splitlines())


def looks(machine: Readable, seconds: float) -> Iterator[float]:
    """Seconds left, again and again with a pause of 5 to 50 ms between, until none are."""
    until = machine.monotonic() + seconds
    pause = 0.005
    while True:
        left = until - machine.monotonic()
        yield max(left, 0.0)
        if left <= 0:
            return
        machine.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.05)
