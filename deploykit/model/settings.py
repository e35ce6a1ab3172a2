"""What is wanted: the request, and deploykit.yml as it holds for one environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple

from deploykit.errors import Location
from deploykit.model.machine import Probe, Service

EVENTS = (
    "BeforeBlockTraffic",
    "AfterBlockTraffic",
    "ApplicationStop",
    "BeforeInstall",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)


SERVICES = ("nginx", "php-fpm")


@dataclass(frozen=True)
class Request:
    """What was asked for: one event (or none, for commands that run no event), and where.

    bundle: folder that holds deploykit.yml and config_templates/.
    prefix: folder that stands for ``/`` (``--root``); ``""`` is the machine itself.
    environment: name given by ``--env``, or ``""`` to choose by deployment group.
    variables: ``--var name=value``, the strongest layer.
    deadline: seconds from the start that the event may take, undo included.
    """

    event: str
    bundle: str
    prefix: str = ""
    environment: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    application: str = ""
    group: str = ""
    deployment: str = ""
    deadline: float = 3600.0


@dataclass(frozen=True)
class FileRule:
    """How one template becomes files, with the settings of ``files:`` filled in.

    template: path below ``config_templates/``; to: path below the service's folder, may hold ``{{ }}``.
    mode None, owner or group ``""``: as the live file, else 0644 root root. when: a Jinja expression, ``""`` is always.
    each: name of the list variable to go through, ``""`` for none; item: the name it has in the template.
    """

    template: str
    service: str
    to: str
    mode: Optional[int] = None
    owner: str = ""
    group: str = ""
    when: str = ""
    each: str = ""
    item: str = "item"
    at: Optional[Location] = None


@dataclass(frozen=True)
class StepSpec:
    """One line under ``events:``: the step's name and its arguments as they were written."""

    name: str
    arguments: Any
    at: Location


@dataclass(frozen=True)
class Settings:
    """deploykit.yml as it holds for one environment on one machine.

    variables: all layers merged; origins: where the winning layer wrote each top-level one. secrets: names of variables
    whose values are never shown. remove: (live path, service, place in deploykit.yml) of other people's files that must go.
    inputs: files that were read besides deploykit.yml and config_templates/ (below the bundle, or absolute).
    """

    bundle: str
    environment: str
    variables: Mapping[str, Any]
    origins: Mapping[str, Location]
    services: Mapping[str, Service]
    files: Tuple[FileRule, ...]
    remove: Tuple[Tuple[str, str, Location], ...] = ()
    writable: Tuple[str, ...] = ()
    secrets: Tuple[str, ...] = ()
    probes: Tuple[Probe, ...] = ()
    events: Mapping[str, Tuple[StepSpec, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    inputs: Tuple[str, ...] = ()
