"""Whole configuration trees in memory: an existing folder's, the live one, the candidate's."""

from __future__ import annotations

import posixpath
from typing import Dict, Mapping, Tuple

from deploykit.config.places import live_path
from deploykit.errors import UsageError
from deploykit.model import Candidate, Service
from deploykit.system.port import Readable

Files = Dict[str, bytes]
_LARGEST = 4 << 20  # bytes; what is larger is no configuration


def existing(folder: str, services: Mapping[str, Service], machine: Readable) -> Tuple[Files, Dict[str, str]]:
    """Files of ``folder/nginx`` and ``folder/php-fpm`` by the live paths they stand for, and live path -> path below folder."""
    files: Files = {}
    shown: Dict[str, str] = {}
    for name, service in services.items():
        top = f"{folder}/{name}"
        for path in _below(top, machine):
            live = live_path(service, path[len(top) + 1 :])
            files[live] = machine.read(path)
            shown[live] = path[len(folder) + 1 :]
    if not files:
        hint = "DIR/nginx stands for nginx's configuration root, DIR/php-fpm for php-fpm's"
        raise UsageError(f"{folder} has neither nginx/ nor php-fpm/", hint=hint)
    return files, shown


def live(services: Mapping[str, Service], machine: Readable) -> Files:
    """What lies below the services' configuration roots now."""
    roots = [root for service in services.values() for root in service.writable]
    paths = [path for root in roots for path in (_below(root, machine) if machine.find(root).kind == "folder" else [root])]
    return {path: machine.read(_real(path, machine)) for path in paths if machine.find(_real(path, machine)).kind == "file"}


def candidate(wanted: Candidate, machine: Readable) -> Files:
    """The live tree with the candidate laid over it."""
    files = live(wanted.settings.services, machine)
    files.update((target.path, target.content) for target in wanted.targets)
    for change in wanted.changes:
        if change.action == "remove":
            files.pop(change.path, None)
    return files


def _below(folder: str, machine: Readable) -> Tuple[str, ...]:
    found: Tuple[str, ...] = ()
    for name in machine.names(folder):
        path = f"{folder}/{name}"
        seen = machine.find(_real(path, machine))
        if seen.kind == "folder" and machine.find(path).kind == "folder":
            found += _below(path, machine)
        elif seen.kind == "file" and seen.size <= _LARGEST:
            found += (path,)
    return found


def _real(path: str, machine: Readable) -> str:
    """Where a symbolic link leads, one step: sites-enabled/default is one."""
    link = machine.find(path).link
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) if link else path
