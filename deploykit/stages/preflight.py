"""Before the agent installs anything: is this a machine on which the deployment can succeed?"""

from __future__ import annotations

import posixpath
from typing import List, Set, Tuple

from deploykit.appspec.reader import judge
from deploykit.appspec.spec import FileCopy
from deploykit.errors import Refused, ToolMissing
from deploykit.model import Request, Settings
from deploykit.system.port import Readable

AGENT_ROOTS = ("/opt/codedeploy-agent/deployment-root",)
LEAST_BYTES = 64 << 20
LEAST_INODES = 2000


def preflight(settings: Settings, request: Request, machine: Readable) -> Tuple[str, ...]:
    """Notes about what is unusual. Raises ToolMissing or Refused for what would fail later."""
    _space(request.prefix, machine)
    clashes = _clashes(request, machine)
    missing = [name for name, service in settings.services.items() if not service.installed]
    if missing and not settings.events.get("BeforeInstall"):
        hint = "install it in the machine image, in user data, or in a step of BeforeInstall"
        raise ToolMissing(f"{' and '.join(missing)} not installed on this machine", hint=hint)
    return (*clashes, *(f"{name} is not installed yet; AfterInstall needs it" for name in missing))


def _space(prefix: str, machine: Readable) -> None:
    for folder in (prefix + "/etc", prefix + "/var/lib", prefix + "/var/log"):
        free, inodes = machine.free_space(folder)
        if free < LEAST_BYTES or inodes < LEAST_INODES:
            hint = "delete old archives of the agent, logs or packages; see docs/operations.md"
            raise Refused(f"{folder}: {free >> 20} MiB and {inodes} inodes free, too little to deploy safely", hint=hint)


def _clashes(request: Request, machine: Readable) -> Tuple[str, ...]:
    """The agent deletes the previous application first and looks for files in the way afterwards; look before it does."""
    path = request.bundle + "/appspec.yml"
    appspec = judge(machine.read(path), "appspec.yml").appspec if machine.find(path).there else None
    if appspec is None or appspec.file_exists_behavior not in ("", "DISALLOW"):
        return ()
    ours = _installed_before(request.prefix, machine)
    clashes = [(one, copy) for copy in appspec.files for one in _in_the_way(copy, request, ours, machine)]
    if not clashes:
        return ()
    more = f" and {len(clashes) - 1} more" if len(clashes) > 1 else ""
    message = f"{clashes[0][0]}{more} is in the way of files: in appspec.yml"
    if not appspec.file_exists_behavior:  # then the deployment's own option counts, which nobody tells a hook
        return (
            f"{message}: the agent fails, after it has deleted the application, unless the deployment says OVERWRITE or RETAIN",
        )
    hint = "remove it, or write file_exists_behavior: OVERWRITE (or RETAIN)"
    raise Refused(f"{message}; the agent would fail after deleting the application", at=clashes[0][1].at, hint=hint)


def _in_the_way(wanted: FileCopy, request: Request, ours: Set[str], machine: Readable) -> List[str]:
    source = f"{request.bundle}/{wanted.source.strip('/')}".rstrip("/")
    destination = request.prefix + wanted.destination.rstrip("/")
    is_file = machine.find(source).kind == "file"
    names = [posixpath.basename(source)] if is_file else _files_below(source, "", machine)
    paths = [f"{destination}/{name}" for name in names]
    return [path for path in paths if path not in ours and machine.find(path).kind == "file"]


def _files_below(folder: str, below: str, machine: Readable) -> List[str]:
    found: List[str] = []
    for name in machine.names(folder):
        path, rest = f"{folder}/{name}", f"{below}/{name}".lstrip("/")
        found += _files_below(path, rest, machine) if machine.find(path).kind == "folder" else [rest]
    return found


def _installed_before(prefix: str, machine: Readable) -> Set[str]:
    """What the agent's cleanup lists name: it deletes those itself."""
    found: Set[str] = set()
    for root in AGENT_ROOTS:
        folder = f"{prefix}{root}/deployment-instructions"
        for name in machine.names(folder):
            if name.endswith("-cleanup"):
                found.update(machine.read(f"{folder}/{name}").decode("utf-8", "replace").splitlines())
    return found
