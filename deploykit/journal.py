"""The journal of a run: what it set out to change and how far it came. One JSON document a line.

The first line is on disk, as a whole, before anything else is touched; marks follow, and one that was cut off by a crash
is ignored. Where the journal lies tells the rest (see ``places``): an open one is undone, a finished one tidied up.
Readers take what they know and leave the rest: an older deploykit reads a newer one's journal.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Optional, Tuple, Type, TypeVar

from deploykit.errors import UndoFailed
from deploykit.model import Service

T = TypeVar("T")

VERSION = 1

SWITCHING = "switching"  # every old file has its second name and every new one is written; live files change from here on
RELOADING = "reloading "  # + service; its processes may run the new configuration from here on


@dataclass(frozen=True)
class Entry:
    """One file. temporary: where its new content waits, ``""`` for a removal. old: the second name of the old one, beside it,
    ``""`` if there is none: coming back is a rename, which needs no space. kept: its place in the history when the run is done.
    sha256: of the new content; link: where the new symbolic link points, ``""`` for a file."""

    action: str
    path: str
    service: str
    temporary: str
    old: str
    kept: str
    sha256: str
    link: str = ""


@dataclass(frozen=True)
class Journal:
    """started: seconds since 1970. folders: those the run makes, parents first. bridges: pool files that live only while
    sockets move. due: services that ran, and that it means to reload. roots: where it may write. services: as they were
    found. marks: how far it came."""

    run: str
    event: str
    deploykit: str
    started: float
    deployment: str = ""
    environment: str = ""
    entries: Tuple[Entry, ...] = ()
    bridges: Tuple[Entry, ...] = ()
    folders: Tuple[str, ...] = ()
    due: Tuple[str, ...] = ()
    roots: Tuple[str, ...] = ()
    services: Tuple[Service, ...] = ()
    marks: Tuple[str, ...] = ()

    @property
    def switching(self) -> bool:
        return SWITCHING in self.marks

    @property
    def reloaded(self) -> Tuple[str, ...]:
        """Services that may have seen the new files, in the order of their first reload."""
        names = [mark[len(RELOADING) :] for mark in self.marks if mark.startswith(RELOADING)]
        return tuple(dict.fromkeys(names))


def first_line(journal: Journal) -> bytes:
    body = asdict(journal)
    del body["marks"]
    return _line({"journal": VERSION, **body})


def mark_line(mark: str) -> bytes:
    return _line({"mark": mark})


def parse(content: bytes, where: str) -> Optional[Journal]:
    """The journal in ``content``; None when even its first line was cut off, so that nothing can have happened yet."""
    lines = [line for line in content.split(b"\n")[:-1] if line]
    if not lines:
        return None
    try:
        documents = [json.loads(line) for line in lines]
        return _journal(documents[0], tuple(str(d["mark"]) for d in documents[1:] if "mark" in d))
    except (ValueError, KeyError, TypeError) as error:
        hint = f"look at it, compare the files it names, then move {where} away"
        raise UndoFailed(f"{where} cannot be read ({error}): an earlier run cannot be undone", hint=hint) from None


def _journal(body: Dict[str, Any], marks: Tuple[str, ...]) -> Journal:
    plain = ("run", "event", "deploykit", "started", "deployment", "environment")
    return Journal(
        **{name: body[name] for name in plain if name in body},
        entries=tuple(_known(Entry, e) for e in body["entries"]),
        bridges=tuple(_known(Entry, e) for e in body.get("bridges", ())),
        folders=tuple(body.get("folders", ())),
        due=tuple(body.get("due", ())),
        roots=tuple(body["roots"]),
        services=tuple(_service(s) for s in body.get("services", ())),
        marks=marks,
    )


def _known(kind: Type[T], body: Dict[str, Any]) -> T:
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in body.items() if name in names})


def _service(body: Dict[str, Any]) -> Service:
    pairs = tuple((str(a), str(b)) for a, b in body.get("folders", ()))
    return _known(Service, {**body, "folders": pairs, "writable": tuple(body.get("writable", ()))})


def _line(document: Dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
