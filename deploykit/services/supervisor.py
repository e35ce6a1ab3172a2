"""Start, stop and reload a service by whoever supervises it: systemd, or nobody, with signals and the pid file.

Reload, never restart: a restart of either service loses requests.
"""

from __future__ import annotations

from typing import Optional

from deploykit.errors import Failed
from deploykit.model import Service
from deploykit.services import generation, nginx, php_fpm
from deploykit.services.generation import Generation
from deploykit.system.port import CommandResult, Machine, Readable

QUIT, TERM = 3, 15


def now(service: Service, machine: Readable) -> Generation:
    """The service's processes as they are."""
    return nginx.generation(service, machine) if service.name == "nginx" else php_fpm.generation(service, machine)


def is_running(service: Service, machine: Readable) -> bool:
    """Is the service's master alive?"""
    return generation.master(service, machine) is not None


def loaded_after(service: Service, machine: Readable, changed_at: float) -> bool:
    """Has everything that runs of the service read its files after ``changed_at``? True when nothing runs."""
    judge = nginx.loaded_after if service.name == "nginx" else php_fpm.loaded_after
    return judge(service, machine, changed_at)


def reload(service: Service, machine: Machine) -> None:
    """Ask for a reload. That it took is for :func:`prove` to say; ``Failed`` only when it could not even be asked for."""
    generation.let_files_age(service, machine)
    if service.supervisor == "systemd":
        result = machine.command(("systemctl", "reload", service.unit), 60.0)
        if result.status:
            raise Failed(
                f"systemctl reload {service.unit}: {_last_words(result)}", hint=f"journalctl -u {service.unit} says more"
            )
        return
    found = generation.master(service, machine)
    if found is None:
        raise Failed(f"{service.name} cannot be reloaded: no process of it is in {service.pid_file}", hint="start it")
    machine.signal(found.pid, nginx.RELOAD if service.name == "nginx" else php_fpm.RELOAD)


def prove(service: Service, machine: Readable, before: Generation, seconds: Optional[float] = None) -> None:
    """Wait until the reload after ``before`` has taken; ``Failed`` with the service's own words when it has not."""
    judge = nginx.prove if service.name == "nginx" else php_fpm.prove
    judge(service, machine, before, seconds)


def start(service: Service, machine: Machine) -> None:
    """Start the service and wait until its processes are there; ``Failed`` with its own words when it does not come up."""
    if not service.installed:
        raise Failed(f"{service.name} cannot be started: it is not installed")
    if service.supervisor == "systemd":
        machine.command(("systemctl", "reset-failed", service.unit), 10.0)  # else a start limit may refuse the start
        result = machine.command(("systemctl", "start", service.unit), 60.0)
    else:
        argv = nginx.start_argv(service) if service.name == "nginx" else php_fpm.start_argv(service)
        result = machine.command(argv, 30.0)
    if result.status:
        raise Failed(f"{service.name} does not start: {_reason(service, machine, result)}", hint=_where(service))
    for _ in generation.looks(machine, 5.0):
        found = now(service, machine)
        if found.master and (found.workers or service.name == "php-fpm"):  # ondemand pools have no children yet
            return
    raise Failed(f"{service.name} did not stay up: no process of it is in {service.pid_file}", hint=_where(service))


def ensure_running(service: Service, machine: Machine) -> bool:
    """Start the service unless it runs; True when it had to be started."""
    if is_running(service, machine):
        return False
    start(service, machine)
    return True


def revive(service: Service, machine: Machine) -> None:
    """Bring a service back that a bad reload has killed, once its old files are back; nothing to do when it lives."""
    ensure_running(service, machine)


def stop(service: Service, machine: Machine, seconds: float = 30.0) -> None:
    """Stop the service: requests in progress may end, for ``seconds`` where nobody supervises it, then they are cut."""
    if service.supervisor == "systemd":
        result = machine.command(("systemctl", "stop", service.unit), 120.0)
        if result.status:
            raise Failed(f"systemctl stop {service.unit}: {_last_words(result)}", hint=_where(service))
        return
    for number, patience in ((QUIT, seconds), (TERM, 5.0)):
        found = generation.master(service, machine)
        if found is None:
            return
        machine.signal(found.pid, number)
        for _ in generation.looks(machine, patience):
            if not is_running(service, machine):
                return
    raise Failed(f"{service.name} does not stop", hint=_where(service))


def _reason(service: Service, machine: Readable, result: CommandResult) -> str:
    """systemctl only says that it failed: the service's own test knows more."""
    if service.supervisor == "systemd":
        argv = nginx.check_argv(service) if service.name == "nginx" else php_fpm.check_argv(service)
        tested = machine.ask(argv)
        result = tested if tested.status else result
    lines = tuple(result.output.splitlines())
    said = nginx.emergencies(lines) if service.name == "nginx" else php_fpm.complaints(lines)
    return "; ".join(said[:3]) or _last_words(result)


def _last_words(result: CommandResult) -> str:
    lines = [line.strip() for line in result.output.splitlines() if line.strip()]
    return "; ".join(lines[-3:]) or f"exit status {result.status}"


def _where(service: Service) -> str:
    journal = f"journalctl -u {service.unit}, " if service.supervisor == "systemd" else ""
    return f"look into {journal}{service.error_log}"
