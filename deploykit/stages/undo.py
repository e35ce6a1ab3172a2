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
        attempt.make(lambda entry=entry: _drop_names(entry, journal.switching, machine))  # type: ignore[misc]
    for bridge in journal.bridges:
        attempt.make(lambda bridge=bridge: remarks.extend(_take_away(bridge, machine)))  # type: ignore[misc]
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
    if entry.action == "create":
        return _take_away(entry, machine)
    old, live = machine.find(entry.old), machine.find(entry.path)
    if not old.there or _is_still(entry, old, live, machine):
        return []
    if live.there and not _is_ours(entry, live, machine):
        return [_left(entry) + f"; what was there before is kept as {entry.old}"]
    machine.rename(entry.old, entry.path)
    return []


def _take_away(entry: Entry, machine: Machine) -> List[str]:
    live = machine.find(entry.path)
    if not live.there:
        return []
    if not _is_ours(entry, live, machine):
        return [_left(entry)]
    machine.remove(entry.path)
    return []


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


def _left(entry: Entry) -> str:
    return f"{entry.path} was changed by somebody else meanwhile and is left as it is"


def _drop_names(entry: Entry, switching: bool, machine: Machine) -> None:
    """Take away the names that waited beside the file; an old file that is the only copy of itself stays."""
    if entry.temporary and machine.find(entry.temporary).there:
        machine.remove(entry.temporary)
    old, live = machine.find(entry.old) if entry.old else Found(""), machine.find(entry.path)
    if old.there and (not switching or _is_still(entry, old, live, machine)):
        machine.remove(entry.old)
