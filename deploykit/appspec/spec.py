"""appspec.yml as an agent understands it, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple

from deploykit.errors import Location

DEFAULT_TIMEOUT = 3600


@dataclass(frozen=True)
class Script:
    """One script of an event. location: below the bundle, as written. timeout: seconds. runas and sudo: ``""``, False: not set.

    stated: was a timeout written, or is it the agent's default of 3600?
    """

    location: str
    timeout: int
    runas: str
    sudo: bool
    at: Location
    stated: bool = True


@dataclass(frozen=True)
class FileCopy:
    """One entry of ``files:``: source below the bundle, destination on the machine."""

    source: str
    destination: str
    at: Location


@dataclass(frozen=True)
class Permission:
    """One entry of ``permissions:``. mode: the octal digits that the agent sets, ``""`` for none. acls: as written."""

    object: str
    at: Location
    pattern: str = "**"
    excepted: Tuple[str, ...] = ()
    types: Tuple[str, ...] = ("file", "directory")
    owner: str = ""
    group: str = ""
    mode: str = ""
    acls: Tuple[str, ...] = ()
    context: Optional[Tuple[str, str, str]] = None


@dataclass(frozen=True)
class Appspec:
    """The whole file. hooks: event to its scripts, in the order of the file. file_exists_behavior: ``""`` where not set."""

    hooks: Mapping[str, Tuple[Script, ...]] = field(default_factory=dict)
    files: Tuple[FileCopy, ...] = ()
    permissions: Tuple[Permission, ...] = ()
    file_exists_behavior: str = ""
