"""``deploykit run EVENT``: what the agent's hooks call."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, Callable

from deploykit import places, transaction
from deploykit.commands import asked
from deploykit.errors import DeploykitError, Failed, from_os
from deploykit.model import Outcome, Plan, Request
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
    event = _Event(arguments, asked.request(arguments, arguments.event), output)
    with Watch(event.request.deadline) as watch:
        return event.rehearsed(ReadOnlyMachine(door(watch))) if arguments.dry_run else event.real(lambda: door(watch))


class _Event:
    """One event on its way through its handler."""

    def __init__(self, arguments: argparse.Namespace, request: Request, output: Output) -> None:
        self.request = request
        self._arguments = arguments
        self._output = output
        self._handler = import_module(f"deploykit.lifecycle.{SNAKE[request.event]}")

    def rehearsed(self, machine: Any) -> int:
        """A dry run: stop after deciding, and show the plan."""
        if transaction.open_journal(self.request.prefix, machine):
            self._output.say("an earlier run was cut off; a real run undoes it first", "yellow")
        plan = self._handler.decide(self.request, machine, self._output)
        secrets = self._output.secrets
        if self._arguments.json:
            self._output.document(report.plan_document(plan, secrets))
        else:
            self._output.say(f"{self._name(plan)}, dry run: nothing is changed", "bold")
            for text, colour in report.plan_lines(plan, secrets):
                self._output.say(text, colour)
        return WOULD_CHANGE if self._arguments.detailed_exitcode and not plan.empty else 0

    def real(self, door: Callable[[], Machine]) -> int:
        """Take the lock, repair what an earlier run left, decide and carry out."""
        try:
            self._carry_out(door())
        except DeploykitError as error:
            return self._failed(error)
        except OSError as error:
            return self._failed(from_os(error))
        except Exception as error:
            if not self._handler.FORGIVING:
                raise
            return self._failed(Failed(f"a bug in deploykit: {error!r}"))
        return 0

    def _carry_out(self, machine: Machine) -> None:
        prefix = self.request.prefix
        make_home(places.home(prefix))
        holder = f"{self.request.event} of deployment {self.request.deployment or '-'}"
        with Lock(places.lock(prefix), holder, min(self._arguments.wait, self.request.deadline)):
            self._output.keep_log(places.log(prefix, f"{machine.timestamp()}-{self.request.event}"))
            transaction.recover(prefix, machine, self._output)
            plan = self._handler.decide(self.request, machine, self._output)
            self._output.detail(report.log_text(plan, self._output.secrets))
            self._tell(plan, self._handler.carry_out(plan, machine, self._output))

    def _tell(self, plan: Plan, outcome: Outcome) -> None:
        for note in outcome.notes:
            self._output.say(f"note: {note}", "yellow")
        self._output.say(f"{self._name(plan)}: {outcome.summary}", "green")
        if self._arguments.json:
            self._output.document({"event": self.request.event, **report.outcome_document(outcome)})

    def _failed(self, error: DeploykitError) -> int:
        for text, colour in report.error_lines(error):
            self._output.say(text, colour)
        if self._arguments.json:
            self._output.document({"event": self.request.event, **report.error_document(error)})
        if self._handler.FORGIVING:
            self._output.say(f"{self.request.event} runs from the previous revision and never fails a deployment", "yellow")
            return 0
        for line in report.digest(error, self.request.event, self._output.ending, self._output.log_path, self._output.masked):
            self._output.say(line)
        return error.status

    def _name(self, plan: Plan) -> str:
        return f"{self.request.event} ({plan.settings.environment})" if plan.settings.environment else self.request.event
