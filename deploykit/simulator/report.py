"""What the simulator tells: a line for each event, the console's view of a failure, and the whole as a document."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Tuple

from deploykit.simulator.model import DeploymentEnd, Diagnostics, EventEnd

API_LIMIT = 8192  # bytes of diagnostics
_COLOURS = {"Succeeded": "green", "Failed": "red", "Ignored": "yellow", "Skipped": "dim"}
_WORDS = {"Succeeded": "ok", "Failed": "FAILED", "Ignored": "ignored", "Skipped": "-"}

Line = Tuple[str, str]  # text, colour


def event_lines(event: EventEnd, deployment: str) -> Iterator[Line]:
    """What became of an event, and notes about what was not played."""
    time = f"{event.seconds:6.2f} s" if event.status != "Skipped" else " " * 8
    yield f"  {_WORDS[event.status]:8}{event.event:20}{time}  {_detail(event, deployment)}".rstrip(), _COLOURS[event.status]
    for note in event.notes:
        yield f"          note: {note}", "yellow"


def _detail(event: EventEnd, deployment: str) -> str:
    if event.status == "Skipped":
        return "not reached"
    if event.code:
        return f"{event.reports[0].name}, code {event.reports[0].code}"
    if event.event == "Install":
        return f"{len(event.removed)} files removed, {len(event.installed)} copied"
    scripts = ", ".join(f"{script.location} {script.seconds:.2f} s" for script in event.scripts)
    where = f"{event.archive}: " if scripts and event.archive != deployment else ""
    return where + scripts or ("" if event.event == "DownloadBundle" else "no script")


def console_lines(event: EventEnd) -> Iterator[Line]:
    """The failed event as the console shows it, line for line. (Control characters are shown as ``?`` here.)"""
    shown = event.reports[0]
    yield f"--- {event.event} as the console shows it ---", "bold"
    yield f"Error code   {shown.name}", ""
    yield f"Script name  {shown.script}", ""
    yield f"Message      {shown.message}", ""
    yield "Log", ""
    for line in shown.log.split("\n")[:-1] if shown.log.endswith("\n") else shown.log.split("\n"):
        yield f"  {line}", ""
    yield "--- end of what the console shows ---", "bold"
    for warning in _warnings(shown):
        yield f"note: {warning}", "yellow"


def _warnings(shown: Diagnostics) -> Iterator[str]:
    if shown.code == "6":
        yield "the child that held the output goes on running"
    if shown.code == "Unknown":
        yield "a line with bytes that are not UTF-8 has broken the diagnostics: print UTF-8"
    size = len(json.dumps(diagnostics(shown), ensure_ascii=False).encode("utf-8", "replace"))
    if size > API_LIMIT:
        yield f"these diagnostics are {size} bytes and the API's limit is {API_LIMIT}; what happens then is not known"


def document(end: DeploymentEnd) -> Dict[str, Any]:
    """One deployment for programs."""
    failed = end.failed
    return {
        "deployment": end.asked.deployment,
        "revision": end.asked.revision,
        "agent": end.asked.agent.name,
        "group": end.asked.group,
        "group_id": end.asked.group_id,
        "status": "Failed" if failed else "Succeeded",
        "seconds": round(end.seconds, 3),
        "events": [_event(event) for event in end.events],
        "console": {"event": failed.event, **diagnostics(failed.reports[0])} if failed else None,
    }


def _event(event: EventEnd) -> Dict[str, Any]:
    return {
        "event": event.event,
        "status": event.status,
        "code": event.code,
        "seconds": round(event.seconds, 3),
        "archive": event.archive or None,
        "scripts": [
            {"location": one.location, "status": one.status, "seconds": round(one.seconds, 3)} for one in event.scripts
        ],
        "log": plain(event.log),
        "installed": [plain(path) for path in event.installed],
        "removed": [plain(path) for path in event.removed],
        "notes": list(event.notes),
        "reports": [diagnostics(one) for one in event.reports],
    }


def diagnostics(one: Diagnostics) -> Dict[str, str]:
    """What the agent sends, with the console's name of the code."""
    return {
        "name": one.name,
        "error_code": one.code,
        "script_name": one.script,
        "message": plain(one.message),
        "log": plain(one.log),
    }


def plain(text: str) -> str:
    """A text that can be printed: bytes that are no UTF-8 become replacement characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
