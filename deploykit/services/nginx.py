"""nginx: how it is tested and started, and how a reload of it is proved."""

from __future__ import annotations

import re
from typing import Optional, Tuple

from deploykit.errors import Failed
from deploykit.model import Service, TrialService
from deploykit.services.generation import CLEARLY, Generation, began, log_since, look, looks
from deploykit.system.port import Readable

RELOAD = 1  # SIGHUP
WORKER = "nginx: worker process"
USUAL = 3.5  # seconds: a reload takes 0.15, and one that cannot bind gives up after 2.5
EARLY = 1.0  # before that not even an emergency in the log is believed: it may be from somebody's nginx -t
SLOW = 20.0  # for a configuration that takes its time, such as names that a slow DNS has to resolve


def check_argv(service: Service) -> Tuple[str, ...]:
    """Command that exits 0 when nginx accepts the configuration; it prints warnings too."""
    return (service.binary, "-t", "-c", service.main)


def start_argv(service: Service) -> Tuple[str, ...]:
    """Command that starts nginx as a daemon and exits 0 once its addresses are bound."""
    return (service.binary, "-c", service.main)


def trial(service: Service) -> TrialService:
    """How nginx is tested and started in a trial."""
    return TrialService(service.name, check_argv(service), start_argv(service), service.pid_file)


def generation(service: Service, machine: Readable) -> Generation:
    """The master and the workers that take new connections."""
    return look(service, machine, WORKER)


def loaded_after(service: Service, machine: Readable, changed_at: float) -> bool:
    """Has every worker that takes connections started after ``changed_at`` (seconds since 1970)? True when none runs.

    A worker that crashed and was replaced counts as new although its master is old: rare, and the next change heals it.
    """
    now = generation(service, machine)
    if now.master is None or began(now.master, machine) > changed_at + CLEARLY:
        return True
    return bool(now.workers) and all(began(worker, machine) > changed_at + CLEARLY for worker in now.workers)


def prove(service: Service, machine: Readable, before: Generation, seconds: Optional[float] = None) -> None:
    """Wait until the workers of ``before`` take no more connections and new ones do; ``Failed`` with nginx's own words if not.

    seconds: 3.5 unless told otherwise, and up to 20 while the error log does not say that the reload has failed.
    """
    usual = USUAL if seconds is None else seconds
    patience = SLOW if seconds is None else seconds
    for left in looks(machine, patience):
        now = generation(service, machine)
        if now.workers and now.is_after(before):
            return
        waited = patience - left
        if waited >= EARLY and now.log_size != before.log_size:
            lines = log_since(service, machine, before.log_size)
            if emergencies(lines) and (waited >= usual or _has_given_up(lines)):
                break
    raise _refused(service, machine, before, patience)


def _has_given_up(lines: Tuple[str, ...]) -> bool:
    """An address in use is tried again for 2.5 s; every other emergency ends a reload at once."""
    said = [line for line in lines if "[emerg]" in line]
    return any("still could not bind" in line for line in said) or not any("bind() to" in line for line in said)


def drained(service: Service, machine: Readable, before: Generation, seconds: float) -> bool:
    """Wait until the workers of ``before`` are gone altogether, requests in progress included; False if some stay longer."""
    former = {(child.pid, child.started) for child in before.family}
    for _ in looks(machine, seconds):
        if not any((child.pid, child.started) in former for child in generation(service, machine).family):
            return True
    return False


def emergencies(lines: Tuple[str, ...]) -> Tuple[str, ...]:
    """What the ``[emerg]`` lines of an error log, or of nginx itself, say, each once, without time and process number."""
    said = (re.sub(r"^.*?\[emerg\] (\d+#\d+: )?(\*\d+ )?", "[emerg] ", line) for line in lines if "[emerg]" in line)
    distinct = tuple(dict.fromkeys(said))
    return tuple(line for line in distinct if "still could not bind" not in line) or distinct


def _refused(service: Service, machine: Readable, before: Generation, waited: float) -> Failed:
    if generation(service, machine).master is None:
        return Failed("nginx is not running any more", hint=f"look into {service.error_log}")
    said = emergencies(log_since(service, machine, before.log_size))
    reason = "; ".join(said[:3]) or f"its old workers still serve after {waited:g} s, and {service.error_log} says nothing"
    hint = "nginx still serves the old one: mend the cause and deploy again"
    return Failed(f"nginx did not take the new configuration: {reason}", hint=hint)
