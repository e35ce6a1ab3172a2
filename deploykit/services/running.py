"""Which services run, and which of them run something else than their files say."""

from __future__ import annotations

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
        if supervisor.is_running(service, machine)
        and not supervisor.loaded_after(service, machine, machine.newest_change(service.writable))
    )
