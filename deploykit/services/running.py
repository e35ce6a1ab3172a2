"""Which services run, and which of them run something else than their files say."""

from __future__ import annotations

import re
from typing import Iterable, Tuple

from deploykit.model import Service
from deploykit.services import supervisor
from deploykit.system.port import Readable


def names(services: Iterable[Service], machine: Readable) -> Tuple[str, ...]:
    """Names of the services that run."""
    return tuple(service.name for service in services if supervisor.is_running(service, machine))


def owed(services: Iterable[Service], machine: Readable) -> Tuple[str, ...]:
    """Names of running services whose processes are older than the last change of their files: a reload is owed."""
    return tuple(
        service.name
        for service in services
        if supervisor.is_running(service, machine) and not supervisor.loaded_after(service, machine, newest(service, machine))
    )


def newest(service: Service, machine: Readable) -> float:
    """When anything that the service reads last changed: its own folders, and what was found to lie outside them."""
    return machine.newest_change(dict.fromkeys([*service.writable, *machine.watched(service.name)]))


def elsewhere(services: Iterable[Service], machine: Readable) -> Tuple[Tuple[Service, str], ...]:
    """Services whose process was started with another main file than ours, and which file that is."""
    found = [(service, _main_of(service, machine)) for service in services]
    return tuple((service, main) for service, main in found if main and main != service.main)


def _main_of(service: Service, machine: Readable) -> str:
    """The main file that a master's title names (``nginx -c FILE``, ``php-fpm: master process (FILE)``), else ``""``."""
    master = machine.master(service.pid_file)
    told = re.search(r" -c\s*(/\S+)|master process \((/[^)]+)\)", master.title) if master else None
    return (told[1] or told[2]) if told else ""
