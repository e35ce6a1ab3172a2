"""``deploykit run EVENT``: what the agent's hooks call."""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from types import ModuleType
from typing import Any, Callable

from deploykit import places, transaction
from deploykit.commands import asked
from deploykit.errors import DeploykitError
from deploykit.model import Outcome, Request
from deploykit.secrets import secret_values
from deploykit.stages import report
from deploykit.system.lock import Lock, make_home
from deploykit.system.output import Output
from deploykit.system.port import Machine
from deploykit.system.read_only import ReadOnlyMachine
from deploykit.system.signals import Watch

WOULD_CHANGE = 2
SNAKE = {
    "BeforeBlockTraffic": "before_block_traffic",
    "AfterBlockTraffic": "after_block_traffic",
    "ApplicationStop": "application_stop",
    "BeforeInstall": "before_install",
    "AfterInstall": "after_install",
    "ApplicationStart": "application_start",
    "ValidateService": "validate_service",
    "BeforeAllowTraffic": "before_allow_traffic",
    "AfterAllowTraffic": "after_allow_traffic",
}


def run(arguments: argparse.Namespace, door: Callable[[Watch], Machine], output: Output) -> int:
    """Decide, and unless it is a dry run carry out. Returns 0, or 2 for a dry run that would change something if asked so."""
    request = asked.request(arguments, arguments.event)
    handler = import_module(f"deploykit.lifecycle.{SNAKE[request.event]}")
    with Watch(request.deadline) as watch:
        if arguments.dry_run:
            return _dry_run(handler, request, ReadOnlyMachine(door(watch)), (arguments, output))
        return _for_real(handler, request, door(watch), (arguments, output))


def _dry_run(handler: ModuleType, request: Request, machine: Any, told: Any) -> int:
    arguments, output = told
    if transaction.open_journal(request.prefix, machine):
        output.say("an earlier run was cut off; a real run undoes it first", "yellow")
    plan = handler.decide(request, machine, output)
    secrets = secret_values(plan.settings)
    if arguments.json:
        output.document(json.dumps(report.plan_document(plan, secrets), indent=2))
    else:
        output.say(f"{request.event}, dry run{_environment(plan.settings.environment)}: nothing is changed", "bold")
        for text, colour in report.plan_lines(plan, secrets):
            output.say(text, colour)
    return WOULD_CHANGE if arguments.detailed_exitcode and not plan.empty else 0


def _for_real(handler: ModuleType, request: Request, machine: Machine, told: Any) -> int:
    arguments, output = told
    make_home(places.home(request.prefix))
    holder = f"{request.event} of deployment {request.deployment or '-'}"
    with Lock(places.lock(request.prefix), holder, min(arguments.wait, request.deadline)):
        output.keep_log(places.log(request.prefix, f"{machine.timestamp()}-{request.event}"))
        try:
            outcome = _carry_out(handler, request, machine, output)
        except DeploykitError as error:
            return _failed(handler, request, error, told)
    if arguments.json:
        output.document(json.dumps(_outcome_document(request, outcome), indent=2))
    return 0


def _carry_out(handler: ModuleType, request: Request, machine: Machine, output: Output) -> Outcome:
    transaction.recover(request.prefix, machine, output)
    plan = handler.decide(request, machine, output)
    for text, _ in report.plan_lines(plan, secret_values(plan.settings)):
        output.detail(text)
    outcome: Outcome = handler.carry_out(plan, machine, output)
    for note in outcome.notes:
        output.say(f"note: {note}", "yellow")
    output.say(f"{request.event}{_environment(plan.settings.environment)}: {outcome.summary}", "green")
    return outcome


def _failed(handler: ModuleType, request: Request, error: DeploykitError, told: Any) -> int:
    arguments, output = told
    for text, colour in report.error_lines(error):
        output.say(text, colour)
    if arguments.json:
        output.document(json.dumps({"event": request.event, **report.error_document(error)}, indent=2))
    if handler.FORGIVING:
        output.say(f"{request.event} runs from the previous revision and never fails a deployment: going on", "yellow")
        return 0
    for line in report.digest(request.event, error, output.ending, output.log_path):
        output.say(line)
    return error.status


def _outcome_document(request: Request, outcome: Outcome) -> Any:
    return {
        "event": request.event,
        "run": outcome.run or None,
        "changed": outcome.changed,
        "reloaded": list(outcome.reloaded),
        "summary": outcome.summary,
        "notes": list(outcome.notes),
    }


def _environment(name: str) -> str:
    return f" ({name})" if name else ""
