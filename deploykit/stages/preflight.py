"""Before the agent installs anything: is this a machine on which the deployment can succeed?"""

from __future__ import annotations

import posixpath
from typing import List, Set, Tuple

from deploykit.appspec.reader import AppspecFile, files_of
from deploykit.errors import Refused, ToolMissing
from deploykit.model import Request, Settings
from deploykit.system.port import Readable

AGENT_ROOTS = ("/opt/codedeploy-agent/deployment-root",)
LEAST_BYTES = 64 << 20
LEAST_INODES = 2000


def preflight(settings: Settings, request: Request, machine: Readable) -> Tuple[str, ...]:
    """Notes about what is unusual. Raises ToolMissing or Refused for what would fail later."""
    _space(request.prefix, machine)
    _clashes(request, machine)
    missing = [name for name, service in settings.services.items() if not service.installed]
    if missing and not settings.events.get("BeforeInstall"):
        hint = "install it in the machine image, in user data, or in a step of BeforeInstall"
        raise ToolMissing(f"{' and '.join(missing)} not installed on this machine", hint=hint)
    return tuple(f"{name} is not installed yet; AfterInstall needs it" for name in missing)


def _space(prefix: str, machine: Readable) -> None:
    for folder in (prefix + "/etc", prefix + "/var/lib", prefix + "/var/log"):
        free, inodes = machine.free_space(folder)
        if free < LEAST_BYTES or inodes < LEAST_INODES:
            hint = "delete old archives of the agent, logs or packages; see docs/operations.md"
            raise Refused(f"{folder}: {free >> 20} MiB and {inodes} inodes free, too little to deploy safely", hint=hint)


def _clashes(request: Request, machine: Readable) -> None:
    """The agent deletes the previous application first and looks for files in the way afterwards; look before it does."""
    path = request.bundle + "/appspec.yml"
    if not machine.find(path).there:
        return
    ours = _installed_before(machine)
    clashes: List[str] = []
    for wanted in files_of(machine.read(path)):
        clashes += _in_the_way(wanted, request, ours, machine)
    if clashes:
        more = f" and {len(clashes) - 1} more" if len(clashes) > 1 else ""
        hint = "remove it, or set file_exists_behavior: OVERWRITE (or RETAIN) in appspec.yml"
        raise Refused(f"{clashes[0]}{more} is in the way of files: in appspec.yml; the agent would fail after deleting the application", hint=hint)


def _in_the_way(wanted: AppspecFile, request: Request, ours: Set[str], machine: Readable) -> List[str]:
    if wanted.behavior != "DISALLOW":
        return []
    source = f"{request.bundle}/{wanted.source.strip('/')}".rstrip("/")
    destination = request.prefix + wanted.destination.rstrip("/")
    if machine.find(source).kind == "file":
        pairs = [posixpath.basename(source)]
    else:
        pairs = _files_below(source, "", machine)
    return [f"{destination}/{p}" for p in pairs if f"{destination}/{p}" not in ours and machine.find(f"{destination}/{p}").kind == "file"]


def _files_below(folder: str, below: str, machine: Readable) -> List[str]:
    found: List[str] = []
    for name in machine.names(folder):
        path, rest = f"{folder}/{name}", f"{below}/{name}".lstrip("/")
        found += _files_below(path, rest, machine) if machine.find(path).kind == "folder" else [rest]
    return found


def _installed_before(machine: Readable) -> Set[str]:
    """What the agent's cleanup lists name: it deletes those itself."""
    found: Set[str] = set()
    for root in AGENT_ROOTS:
        folder = root + "/deployment-instructions"
        for name in machine.names(folder):
            if name.endswith("-cleanup"):
                found.update(machine.read(f"{folder}/{name}").decode("utf-8", "replace").splitlines())
    return found
