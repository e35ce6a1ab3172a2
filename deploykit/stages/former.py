"""The configuration from before one or several runs, as changes to what is live."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import Dict, Iterable, Optional, Sequence, Tuple

from deploykit.journal import Entry, Journal
from deploykit.model import Change, Found
from deploykit.system.port import Readable


def former(journals: Sequence[Journal], machine: Readable) -> Tuple[Tuple[Change, ...], bytes]:
    """Changes that bring back what was live before the oldest of ``journals``, and the record of that time.

    Bytes, owner, mode and times come from the files that the runs kept; a file that a run made goes again.
    """
    oldest: Dict[str, Entry] = {}
    for journal in sorted(journals, key=lambda one: one.run, reverse=True):
        oldest.update({entry.path: entry for entry in journal.entries})
    changes = [_change(entry, machine) for entry in oldest.values() if entry.service]
    return tuple(change for change in changes if change), _record(oldest.values(), machine)


def _change(entry: Entry, machine: Readable) -> Optional[Change]:
    live, kept = machine.find(entry.path), machine.find(entry.kept) if entry.kept else Found(entry.path)
    before = machine.read(entry.path) if live.kind == "file" else b""
    if not kept.there:
        return (
            Change("remove", entry.path, entry.service, "", live, before, reason="it was not there before")
            if live.there
            else None
        )
    if replace(kept, path=live.path, ctime_ns=live.ctime_ns) == live:
        return None
    after = _content(kept, entry.path, machine)
    action = "replace" if live.there else "create"
    return Change(action, entry.path, entry.service, "", live, before, after, kept.mode, kept.uid, kept.gid, source=entry.kept)


def _content(kept: Found, path: str, machine: Readable) -> bytes:
    """What a reader finds there: for a symbolic link, what it points to from its place."""
    if kept.kind == "file":
        return machine.read(kept.path)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), kept.link))
    return machine.read(target) if machine.find(target).kind == "file" else b""


def _record(entries: Iterable[Entry], machine: Readable) -> bytes:
    kept = [entry.kept for entry in entries if not entry.service and entry.old]
    return machine.read(kept[0]) if kept else b'{"record": 1, "files": {}}\n'
