"""deploykit.yml as it holds for one environment on one machine."""

from __future__ import annotations

from typing import Iterator, Mapping, Tuple

from deploykit.config.convert import Placed
from deploykit.config.document import Config
from deploykit.config.environments import choose
from deploykit.config.layers import files_read, known_secrets, layers, merged
from deploykit.config.places import below, live_path
from deploykit.config.templates import rules
from deploykit.errors import Location
from deploykit.model import Facts, Request, Service, Settings
from deploykit.system.port import Readable


def resolve(config: Config, facts: Facts, request: Request, machine: Readable) -> Settings:
    """Choose the environment, merge the variables and find the templates.

    facts: of this machine, with the ``services:`` of deploykit.yml already in it. Raises InvalidInput when it is not clear
    which environment is meant, and for variables files, secrets, templates and ``files:`` that are wrong.
    """
    environment = choose(config.environments, request)
    variables, origins = merged(layers(config, environment, request, machine))
    return Settings(
        bundle=request.bundle,
        environment=environment,
        variables=variables,
        origins=origins,
        services=facts.services,
        files=rules(config.files, request.bundle, machine),
        remove=tuple(_removals(config, facts.services)),
        writable=_writable(config, facts.services, request.prefix),
        secrets=known_secrets(config, variables),
        probes=config.probes,
        events=config.events,
        facts=facts.values,
        inputs=files_read(config, environment, request.prefix),
    )


def _removals(config: Config, services: Mapping[str, Service]) -> Iterator[Tuple[str, str, Location]]:
    deleted = [Placed(path, entry.at) for path, entry in config.files.items() if entry.delete and entry.at]
    for path, at in (*config.remove, *deleted):
        service, _, rest = path.partition("/")
        yield live_path(services[service], rest, at), service, at


def _writable(config: Config, services: Mapping[str, Service], prefix: str) -> Tuple[str, ...]:
    own = [path for service in services.values() for path in service.writable]
    return tuple(dict.fromkeys([*own, *(below(prefix, folder) for folder in config.writable)]))
