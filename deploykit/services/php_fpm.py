"""php-fpm: how it is tested and started, and how a reload of it is proved.

A reload replaces the master's program in place: its number and start time stay, its pid file is written anew once the
whole configuration was taken, and every child is new. A bad configuration kills it.
"""

from __future__ import annotations

import re
from typing import Optional, Tuple

from deploykit.errors import Failed
from deploykit.model import Probe, Service, TrialService
from deploykit.services import pools
from deploykit.services.generation import CLEARLY, Generation, began, log_since, look, looks
from deploykit.system.port import Readable

RELOAD = 12  # SIGUSR2
GONE = 0.1  # seconds without a master before it counts as dead: its title is empty for a moment during a reload
REPLACED = 0.5  # the same while there is no pid file: it is replaced during a reload
REPEATS = re.compile(r"FPM initialization failed|failed to (load configuration file|post process)|Unable to include ")
LEAST = 15.0  # seconds; the grace of the reload is the old configuration's, which is not on disk any more


def check_argv(service: Service) -> Tuple[str, ...]:
    """Command that exits 0 when php-fpm accepts the configuration."""
    return (service.binary, "--test", "--fpm-config", service.main)


def start_argv(service: Service) -> Tuple[str, ...]:
    """Command that starts php-fpm as a daemon and exits 0 once it is ready."""
    return (service.binary, "--daemonize", "--fpm-config", service.main)


def trial(service: Service) -> TrialService:
    """How php-fpm is tested and started in a trial."""
    return TrialService(service.name, check_argv(service), start_argv(service), service.pid_file)


def generation(service: Service, machine: Readable) -> Generation:
    """The master and all its children, those still without a title of their own too."""
    return look(service, machine, "")


def control_timeout(service: Service, machine: Readable) -> int:
    """Seconds of grace for requests in progress at a reload, from the live main file; 0 kills them."""
    if machine.find(service.main).kind == "absent":
        return 0
    return pools.control_timeout(machine.read(service.main).decode("utf-8", "replace"))


def loaded_after(service: Service, machine: Readable, changed_at: float) -> bool:
    """Did the master read its configuration after ``changed_at`` (seconds since 1970)? True when none runs.

    Told by the pid file, which start and reload write: children come and go under an old configuration too.
    """
    now = generation(service, machine)
    if now.master is None or began(now.master, machine) > changed_at + CLEARLY:
        return True
    return now.pid_written / 1e9 > changed_at + CLEARLY


def prove(service: Service, machine: Readable, before: Generation, seconds: Optional[float] = None) -> None:
    """Wait until php-fpm has read its configuration anew and new children (for ``ondemand``: an answer) are there.

    seconds: ``process_control_timeout`` and two more, 15 at least, unless told otherwise. ``Failed`` names php-fpm's
    own words, and says whether it is dead.
    """
    patience = max(LEAST, control_timeout(service, machine) + 2.0) if seconds is None else seconds
    seen_at = machine.monotonic()
    for _ in looks(machine, patience):
        now = generation(service, machine)
        if now.master:
            seen_at = machine.monotonic()
            if _renewed(before, now) and (now.workers or _answers(service, machine)):
                return
        elif machine.monotonic() - seen_at > (GONE if machine.find(service.pid_file).size else REPLACED):
            raise _dead(service, machine, before)
    if generation(service, machine).master is None:
        raise _dead(service, machine, before)
    raise Failed(
        f"php-fpm has not finished its reload after {patience:g} s",
        hint="requests that run longer than process_control_timeout hold it up; see its slow log or status page",
    )


def _renewed(before: Generation, now: Generation) -> bool:
    return now.pid_written not in (0, before.pid_written) and now.is_after(before)


def _answers(service: Service, machine: Readable) -> bool:
    """Does a pool answer at all? With 404 too: no child need know ``/ping`` for that."""
    known = pools.addresses(service, machine)
    return not known or bool(machine.request(Probe("fastcgi", address=known[0], path="/ping", timeout=1.0)).status)


def _dead(service: Service, machine: Readable, before: Generation) -> Failed:
    said = complaints(log_since(service, machine, before.log_size)) or complaints(tuple(reasons(service, machine)))
    words = "; ".join(said[:3]) or f"no reason in {service.error_log}"
    return Failed(f"php-fpm did not take the new configuration and is dead: {words}", hint=f"its log is {service.error_log}")


def complaints(lines: Tuple[str, ...]) -> Tuple[str, ...]:
    """The ERROR and ALERT lines of php-fpm's log, each once, without the time and without what only repeats that it failed."""
    told = (re.sub(r"^\[[^\]]*\d{4}[^\]]*\] ", "", line) for line in lines if re.search(r"\b(ERROR|ALERT)\b", line))
    distinct = tuple(dict.fromkeys(told))
    return tuple(line for line in distinct if not REPEATS.search(line)) or distinct


def reasons(service: Service, machine: Readable) -> Tuple[str, ...]:
    """What php-fpm's own test says: errors before its log is open are in no file."""
    return tuple(machine.ask(check_argv(service)).output.splitlines())
