"""``deploykit check``: judge the candidate of an environment as AfterInstall would; nothing is changed."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any, Callable, Dict, List

from deploykit import flow
from deploykit.commands import asked
from deploykit.errors import Refused
from deploykit.model import Finding, Request
from deploykit.stages import report
from deploykit.stages.load import load
from deploykit.system.output import Output
from deploykit.system.read_only import ReadOnlyMachine
from deploykit.system.signals import Watch

SECONDS = 600.0


def run(arguments: argparse.Namespace, door: Callable[[Watch], Any], output: Output) -> int:
    """Print every finding with its template's line. Returns 0, or 3 when one of them is an error."""
    with Watch(SECONDS) as watch:
        machine = ReadOnlyMachine(door(watch))
        request = asked.request(arguments, "AfterInstall")
        environments = tuple(load(request.bundle, machine).environments) if arguments.all else (request.environment,)
        documents = [_judge(replace(request, environment=name), machine, output) for name in environments]
    if arguments.json:
        output.document(
            json.dumps({"findings": [f for d in documents for f in d["findings"]], "environments": documents}, indent=2)
        )
    wrong = any(f["severity"] == "error" for d in documents for f in d["findings"])
    return Refused.status if wrong else 0


def _judge(request: Request, machine: Any, output: Output) -> Dict[str, Any]:
    verdict = flow.judge(request, machine, output)
    for finding in verdict.findings:
        _say(finding, output)
    for note in verdict.notes:
        output.say(f"note: {note}", "dim")
    name = request.environment or "the environment chosen"
    errors = len(verdict.errors)
    output.say(f"{name}: {f'{errors} errors' if errors else 'ok'}; judge: {verdict.judge}", "red" if errors else "green")
    findings: List[Any] = [report.finding_document(f) for f in verdict.findings]
    return {"environment": request.environment, "judge": verdict.judge, "notes": list(verdict.notes), "findings": findings}


def _say(finding: Finding, output: Output) -> None:
    place = f"{finding.at}: " if finding.at else ""
    output.say(
        f"{finding.severity}: {place}{finding.message} [{finding.rule}]", "red" if finding.severity == "error" else "yellow"
    )
    if finding.hint:
        output.say(f"  hint: {finding.hint}", "dim")
