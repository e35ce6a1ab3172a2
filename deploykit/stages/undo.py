"""Take back what a journal says was done. Every action looks first, so undoing may itself be cut off and begun again.

Coming back is renaming: it needs no space, so a full disk cannot stop it.
"""

from __future__ import annotations

import posixpath
from typing import Callable, List, Tuple

from deploykit import places
from deploykit.journal import Entry, Journal
from deploykit.model import Found
from deploykit.record import digest
from deploykit.system.port import Machine, Readable


def undo(journal: Journal, prefix: str, machine: Machine) -> Tuple[str, ...]:
    """Bring back the bytes, owners, modes, times and absences of before.

    Returns remarks about files that were left alone since somebody else had changed them meanwhile. What can be undone is
    undone before the first error is raised.
    """
    remarks: List[str] = []
    attempt = _Attempt()
    ordered = sorted(journal.entries, key=lambda entry: not entry.service)  # the record comes last
    for entry in ordered:
        if journal.switching:
            attempt.make(lambda entry=entry: remarks.extend(_restore(entry, machine)))  # type: ignore[misc]
        attempt.make(lambda entry=entry: _drop_names(entry, machine))  # type: ignore[misc]
    for bridge in journal.bridges:
        attempt.make(lambda bridge=bridge: _drop_bridge(bridge, machine))  # type: ignore[misc]
    for folder in reversed(journal.folders):
        if machine.find(folder).kind == "folder" and not machine.names(folder):
            attempt.make(lambda folder=folder: machine.remove_folder(folder))  # type: ignore[misc]
    attempt.finish()
    # A folder that has just been removed cannot be synced, but the root that it was in can.
    machine.sync({posixpath.dirname(entry.path) for entry in journal.entries} | {*journal.roots, places.home(prefix)})
    return tuple(remarks)


class _Attempt:
    """Goes on after an error, and raises the first one at the end."""

    def __init__(self) -> None:
        self._errors: List[OSError] = []

    def make(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            self._errors.append(error)

    def finish(self) -> None:
        if self._errors:
            raise self._errors[0]


def _restore(entry: Entry, machine: Machine) -> List[str]:
    """Put the old file back, or take the new one away. What somebody else wrote is never lost: where this run has switched
    the file, their version goes into the history; where it has not, it stays live."""
    old, live = machine.find(entry.old) if entry.old else Found(""), machine.find(entry.path)
    if entry.action != "create" and (not old.there or _is_still(entry, old, live, machine)):
        return []
    remarks: List[str] = []
    if live.there and not _is_ours(entry, live, machine):
        if not _switched(entry, machine):
            return [f"{entry.path} was changed by somebody else meanwhile and is left as it is"]
        machine.move(entry.path, entry.kept + "-foreign")
        remarks.append(f"{entry.path} was changed by somebody else after it was deployed: see {entry.kept}-foreign")
    elif live.there and entry.action == "create":
        machine.remove(entry.path)
    if old.there:
        machine.rename(entry.old, entry.path)
    return remarks


def _switched(entry: Entry, machine: Readable) -> bool:
    return entry.action == "remove" or not machine.find(entry.temporary).there


def _is_still(entry: Entry, old: Found, live: Found, machine: Readable) -> bool:
    """Is the live file still the old one, not switched yet? (Where links are not possible, its second name is a copy.)"""
    if old.same_as(live):
        return True
    attributes = ("kind", "mode", "uid", "gid", "size", "mtime_ns", "link")
    alike = all(getattr(old, name) == getattr(live, name) for name in attributes)
    return alike and (old.kind != "file" or machine.read(entry.old) == machine.read(entry.path))


def _is_ours(entry: Entry, live: Found, machine: Readable) -> bool:
    """Did this run put it there?"""
    if entry.link:
        return live.link == entry.link
    return live.kind == "file" and entry.action != "remove" and digest(machine.read(entry.path)) == entry.sha256


def _drop_bridge(bridge: Entry, machine: Machine) -> None:
    if machine.find(bridge.path).there:
        machine.remove(bridge.path)


def _drop_names(entry: Entry, machine: Machine) -> None:
    """Take away the names that waited beside the file."""
    for name in (entry.temporary, entry.old):
        if name and machine.find(name).there:
            machine.remove(name)
