"""deploykit.yml as frozen data: all of it, before an environment is chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple

from deploykit.config.convert import Placed
from deploykit.errors import Location
from deploykit.model import Probe, StepSpec


@dataclass(frozen=True)
class Layer:
    """Variables that one place sets, and where each top-level one was written."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Location] = field(default_factory=dict)


@dataclass(frozen=True)
class Environment:
    """groups: patterns of deployment groups. file: variables in a file of their own, below the bundle; ``""`` for none."""

    groups: Tuple[str, ...] = ()
    file: Optional[Placed] = None
    variables: Layer = field(default_factory=Layer)


@dataclass(frozen=True)
class FileEntry:
    """One entry of ``files:``; ``""`` and None stand for what was not given. See ``model.FileRule``."""

    to: str = ""
    mode: Optional[int] = None
    owner: str = ""
    group: str = ""
    when: str = ""
    each: str = ""
    item: str = "item"
    delete: bool = False
    at: Optional[Location] = None


@dataclass(frozen=True)
class Config:
    """All of deploykit.yml, every environment in it.

    services: for nginx and php-fpm the keys that were given, as text (paths without the folder that stands for ``/``).
    instance: absolute path of the machine's own variables, ``""`` for none.
    """

    application: Optional[Placed] = None
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    writable: Tuple[str, ...] = ()
    variables: Layer = field(default_factory=Layer)
    secrets: Tuple[Placed, ...] = ()
    environments: Mapping[str, Environment] = field(default_factory=dict)
    groups: Mapping[str, Layer] = field(default_factory=dict)
    instance: str = ""
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    remove: Tuple[Placed, ...] = ()
    probes: Tuple[Probe, ...] = ()
    events: Mapping[str, Tuple[StepSpec, ...]] = field(default_factory=dict)
