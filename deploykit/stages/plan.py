"""Wanted against found: what would change, file by file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from deploykit.config.folders import missing_folders
from deploykit.errors import InvalidInput, Location, Refused
from deploykit.model import Change, Found, Removal, Settings, Target
from deploykit.record import Record, digest
from deploykit.system.port import Readable


@dataclass(frozen=True)
class Difference:
    """changes in the order in which they are made; folders to be made first, parents before children; unchanged: a count."""

    changes: Tuple[Change, ...]
    folders: Tuple[str, ...]
    unchanged: int


def plan(settings: Settings, targets: Sequence[Target], record: Record, machine: Readable) -> Difference:
    """Compare every target with what is live. Nothing is written.

    Raises Refused for a destination outside the writable roots, behind a symbolic link, or taken by a folder;
    InvalidInput for an owner or group that this machine does not know.
    """
    looker = _Looker(settings, machine)
    changes: List[Change] = []
    for target in targets:
        change = looker.change(target)
        if change:
            changes.append(change)
    changes += looker.removals(targets, record)
    wanted = {c.path for c in changes if c.action != "remove"}
    folders = {posixpath.dirname(path) for path in wanted} | _runtime_folders(settings)
    return Difference(tuple(changes), tuple(missing_folders(folders, machine)), len(targets) - len(wanted))


def removals(settings: Settings, targets: Iterable[Target], record: Record) -> Iterator[Removal]:
    """What must go: files listed under ``remove:``, and files of a former revision that this one no longer renders."""
    wanted = {target.path for target in targets}
    listed = set()
    for path, service, at in settings.remove:
        if path in wanted:
            raise InvalidInput(
                f"{path} is both rendered and removed", at=at, hint="take it out of remove:, or delete its template"
            )
        listed.add(path)
        yield Removal(path, service, f"listed under remove: ({at})")
    for path, owned in record.files.items():
        if path not in wanted and path not in listed:
            yield Removal(path, owned.service, f"its template {owned.template} is gone")


class _Looker:
    """Looks at live files; remembers folders and accounts, since a thousand targets share a few of them."""

    def __init__(self, settings: Settings, machine: Readable) -> None:
        self._machine = machine
        self._settings = settings
        self._roots = settings.writable
        self._own_names = machine.is_root() or not settings.facts.get("prefix")
        self._checked: Set[str] = set()
        self._uids: Dict[str, Optional[int]] = {}
        self._gids: Dict[str, Optional[int]] = {}

    def change(self, target: Target) -> Optional[Change]:
        self._guard(target.path, target.template)
        found = self._machine.find(target.path)
        if found.kind not in ("absent", "file", "symlink"):
            raise Refused(
                f"{target.path} is {_what(found)}", at=Location(target.template), hint="move it away, or render elsewhere"
            )
        uid, gid, mode = self._owner(target, found)
        before = self._machine.read(target.path) if found.kind == "file" else b""
        action = _action(found, before != target.content, (mode, uid, gid))
        if not action:
            return None
        return Change(action, target.path, target.service, target.template, found, before, target.content, mode, uid, gid)

    def removals(self, targets: Sequence[Target], record: Record) -> Iterator[Change]:
        for removal in removals(self._settings, targets, record):
            found = self._machine.find(removal.path)
            if not found.there:
                continue
            self._guard(removal.path, "deploykit.yml")
            if found.kind not in ("file", "symlink"):
                raise Refused(f"{removal.path} is {_what(found)}, not a file", hint="only files are removed")
            before = self._machine.read(removal.path) if found.kind == "file" else b""
            reason = removal.reason + _edited(record, removal.path, before)
            yield Change("remove", removal.path, removal.service, "", found, before, reason=reason)

    def _guard(self, path: str, template: str) -> None:
        folder = posixpath.dirname(path)
        if folder not in self._checked:
            root = _root_of(path, self._roots)
            if not root:
                message = f"{path} is outside the folders that may be written ({', '.join(self._roots)})"
                raise Refused(message, at=Location(template), hint="add its folder to writable: in deploykit.yml")
            _refuse_links(root, folder, self._machine)
            self._checked.add(folder)

    def _owner(self, target: Target, found: Found) -> Tuple[int, int, int]:
        keep = found if found.kind == "file" else None
        mode = target.mode if target.mode >= 0 else (keep.mode if keep else 0o644)
        if not self._own_names:  # a plain user in a folder of its own can give files to nobody else
            return (*self._machine.own_ids(), mode)
        uid = self._number("account", target.owner, self._uids, target) if target.owner else (keep.uid if keep else 0)
        gid = self._number("group", target.group, self._gids, target) if target.group else (keep.gid if keep else 0)
        return uid, gid, mode

    def _number(self, kind: str, name: str, known: Dict[str, Optional[int]], target: Target) -> int:
        if name not in known:
            known[name] = self._machine.uid(name) if kind == "account" else self._machine.gid(name)
        number = known[name]
        if number is None:
            hint = "create it before the deployment, or name another one under files: in deploykit.yml"
            raise InvalidInput(f"{kind} {name!r} does not exist on this machine", at=Location(target.template), hint=hint)
        return number


def _action(found: Found, differs: bool, wanted: Tuple[int, int, int]) -> str:
    if not found.there:
        return "create"
    if differs or found.kind != "file":
        return "replace"
    return "" if (found.mode, found.uid, found.gid) == wanted else "attributes"


def _edited(record: Record, path: str, before: bytes) -> str:
    owned = record.files.get(path)
    return " (it was edited by hand since; undo brings it back)" if owned and owned.sha256 != digest(before) else ""


def _root_of(path: str, roots: Sequence[str]) -> str:
    inside = [root for root in roots if path == root or path.startswith(root + "/")]
    return max(inside, key=len, default="")


def _refuse_links(root: str, folder: str, machine: Readable) -> None:
    here = root
    for part in filter(None, folder[len(root) :].split("/")):
        here = f"{here}/{part}"
        found = machine.find(here)
        if found.kind not in ("absent", "folder"):
            raise Refused(
                f"{here} is {_what(found)}; files are not written through it", hint="write to the folder it points to"
            )


def _what(found: Found) -> str:
    names = {"symlink": f"a symbolic link to {found.link}", "other": "a device, pipe or socket"}
    return names.get(found.kind, f"a {found.kind}")


def _runtime_folders(settings: Settings) -> Set[str]:
    """Below a prefix nobody has installed the packages that make them."""
    prefix = settings.facts.get("prefix")
    if not prefix:
        return set()
    return {folder for service in settings.services.values() for folder in service.runtime_folders} | {
        f"{prefix}/var/lib/nginx"
    }
