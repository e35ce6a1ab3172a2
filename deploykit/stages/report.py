"""What people and programs are told: the plan, the outcome, and the digest of a failure that fits the console's 2 KB."""

from __future__ import annotations

import difflib
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

from deploykit.errors import DeploykitError, InvalidInput
from deploykit.model import Change, Outcome, Plan
from deploykit.secrets import former_mask

DIGEST_BYTES = 1500
_SHORTENED = 200  # bytes that each line may have in any case
_VERBS = {"create": "create", "replace": "change", "attributes": "owner or mode", "remove": "remove"}
_LONGEST_LOG = 1000
_LONGEST_DIFF = 400  # lines of one file; a new file of a thousand lines tells nobody anything

Line = Tuple[str, str]  # text, colour


def plan_lines(plan: Plan, secrets: Sequence[str]) -> Iterator[Line]:
    """The whole plan for people: each file with its diff, then what follows from it."""
    for change in plan.changes:
        yield (
            f"{_VERBS[change.action]} {change.path}{_attributes(change)}{f'  ({change.reason})' if change.reason else ''}",
            "bold",
        )
        yield from _diff_lines(change, secrets)
    yield from consequence_lines(plan)


def log_text(plan: Plan, secrets: Sequence[str]) -> str:
    """The plan for the log: every change, with the diffs of files that were there before as far as a reader would follow."""
    lines: List[str] = []
    for change in plan.changes:
        lines.append(f"{_VERBS[change.action]} {change.path}{f' ({change.reason})' if change.reason else ''}")
        if change.action == "replace" and len(lines) < _LONGEST_LOG:
            lines += [f"    {line}" for line in diff(change, secrets)]
    return "\n".join([*lines, *(text for text, _ in consequence_lines(plan))])


def consequence_lines(plan: Plan) -> Iterator[Line]:
    """What a plan comes to, without the diffs."""
    for finding in plan.verdict.findings:
        yield f"{finding.severity}: {f'{finding.at}: ' if finding.at else ''}{finding.message} [{finding.rule}]", "yellow"
    for note in (*plan.notes, *plan.verdict.notes):
        yield f"note: {note}", "dim"
    yield f"judge: {plan.verdict.judge}", ""
    for step in plan.steps:
        yield f"step: {step.name} ({step.at})", ""
    yield headline(plan), "bold"


def headline(plan: Plan) -> str:
    """``3 files change, nginx reload, php-fpm reload, no downtime``."""
    parts = [f"{len(plan.changes)} file{'s' * (len(plan.changes) != 1)} to change, {plan.unchanged} as they should be"]
    parts += [f"start {name}" for name in plan.start]
    parts += [f"reload {name}{' (owed from before)' if name in plan.owed else ''}" for name in plan.due]
    return ", ".join(parts) if len(parts) > 1 else f"{parts[0]}, nothing to reload"


def plan_document(plan: Plan, secrets: Sequence[str]) -> Dict[str, Any]:
    """The plan for programs."""
    return {
        "event": plan.request.event,
        "environment": plan.settings.environment,
        "changes": [_change_document(change, secrets) for change in plan.changes],
        "unchanged": plan.unchanged,
        "reload": list(plan.due),
        "owed": list(plan.owed),
        "start": list(plan.start),
        "steps": [{"step": step.name, "at": str(step.at)} for step in plan.steps],
        "judge": plan.verdict.judge,
        "findings": [finding_document(f) for f in plan.verdict.findings],
        "notes": [*plan.notes, *plan.verdict.notes],
    }


def outcome_document(outcome: Outcome) -> Dict[str, Any]:
    """What a run came to, for programs."""
    return {
        "run": outcome.run or None,
        "changed": outcome.changed,
        "reloaded": list(outcome.reloaded),
        "summary": outcome.summary,
        "notes": list(outcome.notes),
    }


def finding_document(finding: Any) -> Dict[str, Any]:
    """One finding for programs: rule, severity, file, line, column, message, hint."""
    at = finding.at
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "file": at.file if at else None,
        "line": (at.line or None) if at else None,
        "column": (at.column or None) if at else None,
        "message": finding.message,
        "hint": finding.hint,
    }


def error_document(error: DeploykitError) -> Dict[str, Any]:
    """A failure for programs."""
    at = error.at
    place = {"file": at.file, "line": at.line or None, "column": at.column or None} if at else None
    return {"error": error.message, "status": error.status, "at": place, "hint": error.hint}


def error_lines(error: DeploykitError) -> Iterator[Line]:
    """What is wrong, where, and what to do; further errors of the same read each on a line of their own."""
    yield f"error: {error}", "red"
    if error.hint:
        yield f"  hint: {error.hint}", "yellow"
    for another in error.more if isinstance(error, InvalidInput) else ():
        yield f"error: {another}", "red"
        if another.hint and another.hint != error.hint:
            yield f"  hint: {another.hint}", "yellow"


def digest(error: DeploykitError, event: str, undone: str, log: str, masked: Callable[[str], str]) -> List[str]:
    """The last lines of a failed run: at most 1,500 bytes that say what failed, where, what was undone, what to do next.

    masked: takes what is secret out of a text, here before a cut could leave half of it.
    """
    lines = [f"--- {event} failed, exit status {error.status}", f"cause: {error}"]
    if isinstance(error, InvalidInput) and error.more:
        lines.append(f"and {len(error.more)} more, above")
    lines.append(f"state: {undone}")
    if error.hint:
        lines.append(f"next: {error.hint}")
    if log:
        lines.append(f"log: {log}")
    return _fitting([masked(line).encode("utf-8", "replace") for line in lines])


def _fitting(lines: List[bytes]) -> List[str]:
    """The same lines in 1,500 bytes; what is too long is cut, the cause last since it says the most."""
    room = DIGEST_BYTES - sum(min(len(line), _SHORTENED) + 1 for line in lines)
    fitting: Dict[int, bytes] = {}
    for number in sorted(range(len(lines)), key=lambda n: lines[n].startswith(b"cause: "), reverse=True):
        size = min(len(lines[number]), _SHORTENED + room)
        room -= max(size - _SHORTENED, 0)
        fitting[number] = lines[number] if size == len(lines[number]) else lines[number][: size - 6] + b" [...]"
    return [fitting[number].decode("utf-8", "ignore") for number in range(len(lines))]


def _attributes(change: Change) -> str:
    if change.action == "remove":
        return ""
    found, owner = change.found, f"{change.uid}:{change.gid} {change.mode:04o}"
    before = f"{found.uid}:{found.gid} {found.mode:04o}"
    return f"  {owner}" if not found.there else "" if before == owner else f"  {before} -> {owner}"


def _diff_lines(change: Change, secrets: Sequence[str]) -> Iterator[Line]:
    lines = diff(change, secrets)
    for line in lines[:_LONGEST_DIFF]:
        yield f"    {line}", {"+": "green", "-": "red", "@": "blue"}.get(line[:1], "")
    if len(lines) > _LONGEST_DIFF:
        yield f"    ... {len(lines) - _LONGEST_DIFF} more lines", "dim"


def diff(change: Change, secrets: Sequence[str]) -> List[str]:
    """Unified diff of one change, without secrets of a former revision (those of this one are hidden by the output)."""
    after = change.after.decode("utf-8", "replace")
    before = change.before.decode("utf-8", "replace")
    lines = list(difflib.unified_diff(_lines(before), _lines(after), "live", "candidate", lineterm=""))[2:]
    mask = former_mask(after, secrets)
    return [line[0] + mask(line[1:]) if line[:1] in "- " else line for line in lines]


def _lines(text: str) -> List[str]:
    """At line feeds alone: what else Unicode calls the end of a line may be in the middle of a secret."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _change_document(change: Change, secrets: Sequence[str]) -> Dict[str, Any]:
    return {
        "action": change.action,
        "path": change.path,
        "service": change.service,
        "template": change.template or None,
        "mode": f"{change.mode:04o}" if change.action != "remove" else None,
        "reason": change.reason or None,
        "diff": diff(change, secrets),
    }
