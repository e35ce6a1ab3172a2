"""``deploykit history``: the runs that changed something here, newest first."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List

from deploykit import journal as journals
from deploykit import places
from deploykit.errors import UndoFailed
from deploykit.journal import Journal
from deploykit.system.output import Output
from deploykit.system.port import Readable
from deploykit.system.signals import Watch

ENDS = {"done": "journal", "undone": "undone"}


def run(arguments: argparse.Namespace, door: Callable[[Watch], Readable], output: Output) -> int:
    """Print one line a run; always 0."""
    machine = door(Watch(0))
    ended = [(journal, end) for end, word in ENDS.items() for journal in runs(arguments.root, machine, word)]
    found = [_document(journal, end) for journal, end in sorted(ended, key=lambda pair: pair[0].run, reverse=True)]
    if arguments.json:
        output.document(found)
        return 0
    for body in found:
        output.say(_row(body))
    if not found:
        output.say("nothing was changed by deploykit here yet")
    return 0


def runs(prefix: str, machine: Readable, end: str = "journal") -> List[Journal]:
    """Journals of runs that are done (or, with ``end`` as ``undone``, of those that were undone), newest first.

    One that cannot be read is left out: it must not hide the others.
    """
    found: List[Journal] = []
    for name in reversed(machine.names(places.history(prefix))):
        path = f"{places.run(prefix, name)}/{end}"
        try:
            journal = journals.parse(machine.read(path), path) if machine.find(path).there else None
        except UndoFailed:
            continue
        found += [journal] if journal else []
    return found


def _row(body: Dict[str, Any]) -> str:
    event, end, files = f"{body['event']:16}", f"{body['end']:7}", f"{body['files']} files"
    return "  ".join((body["run"], body["started"], event, end, files, body["deployment"])).rstrip()


def _document(journal: Journal, end: str) -> Dict[str, Any]:
    return {
        "run": journal.run,
        "started": datetime.fromtimestamp(journal.started, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ"),
        "event": journal.event,
        "end": end,
        "files": sum(1 for entry in journal.entries if entry.service),
        "reloaded": list(journal.reloaded),
        "environment": journal.environment,
        "deployment": journal.deployment,
        "deploykit": journal.deploykit,
    }
