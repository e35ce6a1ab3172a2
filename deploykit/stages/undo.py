"""Take back what a journal says was done. Every action looks first, so undoing may itself be cut off and begun again."""

from __future__ import annotations

import posixpath
from typing import List, Tuple

from deploykit import places
from deploykit.journal import Entry, Journal
from deploykit.record import digest
from deploykit.system.port import Machine


def undo(journal: Journal, prefix: str, machine: Machine) -> Tuple[str, ...]:
    """Bring back the bytes, owners, modes, times and absences of before.

    Returns remarks about files that were left alone since somebody else had changed them meanwhile.
    """
    remarks: List[str] = []
    for entry in reversed(journal.entries):
        if journal.switching:
            remarks += _restore(entry, journal.run, machine)
        _remove_if_there(entry.temporary, machine)
    for bridge in journal.bridges:
        remarks += _take_away(bridge, machine)
    for folder in reversed(journal.folders):
        if machine.find(folder).kind == "folder" and not machine.names(folder):
            machine.remove_folder(folder)
    # A folder that has just been removed cannot be synced, but the root that it was in can.
    machine.sync({posixpath.dirname(entry.path) for entry in journal.entries} | {*journal.roots, places.home(prefix)})
    return tuple(remarks)


def discard(journal: Journal, machine: Machine) -> None:
    """After a run that was proved: nothing of its temporary files is left behind."""
    for entry in journal.entries:
        _remove_if_there(entry.temporary, machine)


def _restore(entry: Entry, run: str, machine: Machine) -> List[str]:
    if entry.action == "create":
        return _take_away(entry, machine)
    kept, live = machine.find(entry.kept), machine.find(entry.path)
    if not kept.there or kept.same_as(live):
        return []
    # A rename between two names of one file does nothing, hence the look above.
    folder, number = posixpath.dirname(entry.path), posixpath.basename(entry.kept)
    again = entry.temporary or f"{folder}/{places.TEMPORARY}{run}-{number}"
    _remove_if_there(again, machine)
    machine.link(entry.kept, again)
    machine.rename(again, entry.path)
    return []


def _take_away(entry: Entry, machine: Machine) -> List[str]:
    live = machine.find(entry.path)
    if live.kind == "file" and digest(machine.read(entry.path)) == entry.sha256:
        machine.remove(entry.path)
    elif live.there:
        return [f"{entry.path} was changed by somebody else meanwhile and is left as it is"]
    return []


def _remove_if_there(path: str, machine: Machine) -> None:
    if path and machine.find(path).there:
        machine.remove(path)
