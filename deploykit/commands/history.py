"""``deploykit history``: the runs that changed something here, newest first."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List

from deploykit import journal as journals
from deploykit import places
from deploykit.journal import Journal
from deploykit.system.output import Output
from deploykit.system.port import Readable
from deploykit.system.signals import Watch


def run(arguments: argparse.Namespace, door: Callable[[Watch], Readable], output: Output) -> int:
    """Print one line a run; always 0."""
    found = runs(arguments.root, door(Watch(0)))
    if arguments.json:
        output.document([_document(journal) for journal in found])
        return 0
    for journal in found:
        output.say(_row(_document(journal)))
    if not found:
        output.say("nothing was changed by deploykit here yet")
    return 0


def runs(prefix: str, machine: Readable) -> List[Journal]:
    """Journals of ended runs, newest first."""
    found: List[Journal] = []
    for name in reversed(machine.names(places.history(prefix))):
        path = places.run(prefix, name) + "/journal"
        journal = journals.parse(machine.read(path), path) if machine.find(path).there else None
        if journal:
            found.append(journal)
    return found


def _row(body: Dict[str, Any]) -> str:
    event, end, files = f"{body['event']:16}", f"{body['end']:7}", f"{body['files']} files"
    return "  ".join((body["run"], body["started"], event, end, files, body["deployment"])).rstrip()


def _document(journal: Journal) -> Dict[str, Any]:
    return {
        "run": journal.run,
        "started": datetime.fromtimestamp(journal.started, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ"),
        "event": journal.event,
        "end": "done" if journal.done else "undone",
        "files": sum(1 for entry in journal.entries if entry.service),
        "reloaded": list(journal.reloaded),
        "environment": journal.environment,
        "deployment": journal.deployment,
        "deploykit": journal.deploykit,
    }
