"""``deploykit status``: what is live, whether it is as it was deployed, and what runs."""

from __future__ import annotations

import argparse
from typing import Any, Callable, Dict, List

from deploykit import flow, transaction
from deploykit import record as records
from deploykit.commands import asked
from deploykit.commands.history import runs
from deploykit.services import running
from deploykit.system.output import Output
from deploykit.system.port import Readable
from deploykit.system.signals import Watch


def run(arguments: argparse.Namespace, door: Callable[[Watch], Readable], output: Output) -> int:
    """Print it; 0 when all is as deployed, 1 when something is not."""
    machine = door(Watch(0))
    body = _document(arguments, machine, output)
    if arguments.json:
        output.document(body)
    else:
        _say(body, output)
    return 0 if body["ok"] else 1


def _document(arguments: argparse.Namespace, machine: Readable, output: Output) -> Dict[str, Any]:
    settings = flow.settle(asked.request(arguments), machine, output)
    record = flow.read_record(arguments.root, machine)
    services = settings.services
    alive, owed = (
        running.names(services.values(), machine),
        running.owed([s for s in services.values() if s.name not in machine.proved()], machine),
    )
    files = {path: _file(path, owned, machine) for path, owned in record.files.items()}
    journal = transaction.open_journal(arguments.root, machine)
    untidy = transaction.finished_journal(arguments.root, machine)
    last = runs(arguments.root, machine)[:1]
    return {
        "environment": record.environment or None,
        "last run": last[0].run if last else None,
        "cut off": journal.run if journal else None,
        "to be tidied up": untidy.run if untidy else None,
        "services": {name: _service(name, alive, owed) for name in services},
        "files": len(files),
        "different": {path: word for path, word in files.items() if word != "as deployed"},
        "ok": not journal and not owed and all(word == "as deployed" for word in files.values()),
    }


def _file(path: str, owned: records.Owned, machine: Readable) -> str:
    found = machine.find(path)
    if found.kind != "file":
        return "gone" if not found.there else f"is a {found.kind}"
    return "as deployed" if records.digest(machine.read(path)) == owned.sha256 else "edited"


def _service(name: str, alive: Any, owed: Any) -> str:
    if name not in alive:
        return "not running"
    return "runs something older than its files: a reload is owed" if name in owed else "runs"


def _say(body: Dict[str, Any], output: Output) -> None:
    if body["cut off"]:
        output.say(f"run {body['cut off']} was cut off: the next run, or 'deploykit undo', brings everything back", "red")
    lines: List[str] = [f"{name}: {word}" for name, word in body["services"].items()]
    lines.append(
        f"{body['files']} files of ours, last run {body['last run'] or 'none'}, environment {body['environment'] or '-'}"
    )
    lines += [f"{word}: {path}" for path, word in body["different"].items()]
    for line in lines:
        output.say(line)
    output.say("all as deployed" if body["ok"] else "not as deployed", "green" if body["ok"] else "red")
