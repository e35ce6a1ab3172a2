"""Put a proved plan live: old and new files side by side under names of their own, then switch name by name.

Until the switch nothing live is touched; from the first switch on, the journal on disk tells how to come back. The
order on disk is: journal, old and new files, the mark that says so, renames.
"""

from __future__ import annotations

import posixpath
from typing import List, Sequence, Set

from deploykit import journal as journals
from deploykit import places
from deploykit.errors import Failed, Refused
from deploykit.journal import Entry, Journal
from deploykit.model import Change, Plan
from deploykit.record import digest
from deploykit.system.port import Machine, Readable

SLACK_BYTES = 1 << 20  # journal, record, log and what the services write meanwhile
SLACK_INODES = 64


def prepare(plan: Plan, journal: Journal, machine: Machine) -> None:
    """Write the journal, give the old files a second name, write the new ones. Raises Failed when the disk has no room."""
    prefix = plan.request.prefix
    _need_space(plan, machine)
    _make_home(prefix, journal.run, machine)
    if machine.find(places.stamp(prefix)).there:
        machine.remove(places.stamp(prefix))
    _open_journal(journal, prefix, machine)
    for folder in journal.folders:
        machine.make_folder(folder, 0o755, *plan.owner)
    for entry, change in zip(journal.entries, _with_record(plan, machine)):
        if entry.old:
            machine.link(entry.path, entry.old)
        if change.source:
            machine.copy(change.source, entry.temporary)
        elif entry.temporary:
            label_of = change.path if change.found.kind == "file" else ""
            machine.write_new(entry.temporary, change.after, change.mode, change.uid, change.gid, label_of)
    machine.sync(_folders(journal, prefix))
    machine.append(places.journal(prefix), journals.mark_line(journals.SWITCHING))


def apply(plan: Plan, journal: Journal, machine: Machine) -> None:
    """Switch. Raises Refused when a live file is no longer what the plan saw; the caller undoes."""
    prefix = plan.request.prefix
    for entry, change in zip(journal.entries, _with_record(plan, machine)):
        if not machine.find(entry.path).same_as(change.found):
            hint = "somebody or something else writes this file: find out who, then deploy again"
            raise Refused(f"{entry.path} was changed while it was being deployed", hint=hint)
        if entry.action == "remove":
            machine.remove(entry.path)
        else:
            machine.rename(entry.temporary, entry.path)
    machine.sync(_folders(journal, prefix))


def entries(plan: Plan, run: str, machine: Readable) -> Sequence[Entry]:
    """The journal's entries for a plan; the record is the last of them, so that it comes and goes with the files."""
    made: List[Entry] = []
    for number, change in enumerate(_with_record(plan, machine)):
        beside = f"{posixpath.dirname(change.path)}/{places.TEMPORARY}{run}-{number}"
        temporary = "" if change.action == "remove" else beside
        old = beside + "-old" if change.found.there else ""
        kept = f"{places.run(plan.request.prefix, run)}/kept/{number}"
        link = machine.find(change.source).link if change.source else ""
        made.append(Entry(change.action, change.path, change.service, temporary, old, kept, digest(change.after), link))
    return made


def _open_journal(journal: Journal, prefix: str, machine: Machine) -> None:
    """Whole or not at all: a first line that is cut off would hide what follows it."""
    path = places.journal(prefix)
    if machine.find(path + ".new").there:
        machine.remove(path + ".new")
    machine.append(path + ".new", journals.first_line(journal))
    machine.rename(path + ".new", path)
    machine.sync([places.home(prefix)])


def _with_record(plan: Plan, machine: Readable) -> Sequence[Change]:
    path = places.record(plan.request.prefix)
    found = machine.find(path)
    action = "replace" if found.there else "create"
    uid, gid = machine.own_ids()
    return [*plan.changes, Change(action, path, "", "", found, b"", plan.record, 0o600, uid, gid)]


def _folders(journal: Journal, prefix: str) -> Set[str]:
    return {posixpath.dirname(entry.path) for entry in journal.entries} | {places.run(prefix, journal.run)}


def _make_home(prefix: str, run: str, machine: Machine) -> None:
    uid, gid = machine.own_ids()
    wanted = [places.home(prefix), places.history(prefix), places.run(prefix, run), places.run(prefix, run) + "/kept"]
    parents = [prefix + "/var", prefix + "/var/lib"]
    for folder, mode in [(p, 0o755) for p in parents] + [(w, 0o700) for w in wanted]:
        if not machine.find(folder).there:
            machine.make_folder(folder, mode, uid, gid)


def _need_space(plan: Plan, machine: Readable) -> None:
    folders = {posixpath.dirname(change.path) for change in plan.changes if change.action != "remove"}
    for folder in sorted({*folders, places.home(plan.request.prefix)}):
        _need(folder, plan, machine)


def _need(folder: str, plan: Plan, machine: Readable) -> None:
    # Counted as if all went to this one file system: too much rather than too little.
    wanted = sum(len(c.after) + 4096 for c in plan.changes) + len(plan.record) + SLACK_BYTES
    count = 2 * len(plan.changes) + SLACK_INODES
    free, inodes = machine.free_space(folder)
    if free < wanted:
        raise Failed(
            f"{folder}: {free >> 20} MiB free, {(wanted >> 20) + 1} MiB needed", hint="free some space; nothing was changed"
        )
    if inodes < count:
        raise Failed(f"{folder}: {inodes} inodes free, {count} needed", hint="remove files; nothing was changed")
