"""``deploykit undo [RUN]``: bring back what was live before a run, proved like any other configuration."""

from __future__ import annotations

import argparse
from typing import Any, Callable

from deploykit import flow, places, transaction
from deploykit.commands import asked
from deploykit.commands.history import runs
from deploykit.errors import UsageError
from deploykit.model import Outcome, Plan
from deploykit.stages import report
from deploykit.system.lock import Lock, make_home
from deploykit.system.output import Output
from deploykit.system.port import Machine
from deploykit.system.read_only import ReadOnlyMachine
from deploykit.system.signals import Watch

SECONDS = 300.0


def run(arguments: argparse.Namespace, door: Callable[[Watch], Machine], output: Output) -> int:
    """Undo an open run if there is one, else the last that ended well (or all down to RUN). Returns 0."""
    with Watch(SECONDS) as watch:
        machine = door(watch)
        if arguments.dry_run:
            return _show(_plan(arguments, ReadOnlyMachine(machine), output), arguments, output)
        make_home(places.home(arguments.root))
        with Lock(places.lock(arguments.root), "undo by hand", arguments.wait):
            return _for_real(arguments, machine, output)


def _show(plan: Plan, arguments: argparse.Namespace, output: Output) -> int:
    if arguments.json:
        output.document(report.plan_document(plan, output.secrets))
    else:
        for text, colour in report.plan_lines(plan, output.secrets):
            output.say(text, colour)
    return 0


def _for_real(arguments: argparse.Namespace, machine: Machine, output: Output) -> int:
    output.keep_log(places.log(arguments.root, f"{machine.timestamp()}-undo"))
    if transaction.recover(arguments.root, machine, output) and not arguments.target:
        outcome = Outcome("", output.ending)
    else:
        plan = _plan(arguments, machine, output)
        outcome = flow.carry_out(plan, machine, output)
        flow.remember(plan, outcome, machine, output)
        output.say(f"undo: {outcome.summary}", "green")
    if arguments.json:
        output.document(report.outcome_document(outcome))
    return 0


def _plan(arguments: argparse.Namespace, machine: Any, output: Output) -> Plan:
    ended = runs(arguments.root, machine)
    wanted = [journal for journal in ended if not arguments.target or journal.run >= arguments.target]
    if not wanted or (arguments.target and wanted[-1].run != arguments.target):
        known = ", ".join(journal.run for journal in ended) or "none"
        raise UsageError(f"no run {arguments.target or 'to undo'}", hint=f"'deploykit history' lists them: {known}")
    request = asked.request(arguments, "undo")
    return flow.propose_former(request, wanted if arguments.target else wanted[:1], machine, output)
