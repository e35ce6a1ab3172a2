"""AfterInstall: the configuration is rendered, proved, put live, reloaded and proved again; then the event's steps.

decide     load -> gather -> resolve -> render -> plan -> check       looks and tries in private, changes nothing
carry_out  apply -> reload -> verify                                  all of it, or none
"""

from __future__ import annotations

from deploykit import flow
from deploykit.errors import ToolMissing
from deploykit.model import Outcome, Plan, Request
from deploykit.system.output import Output
from deploykit.system.port import Machine, Scratch

FORGIVING = False


def decide(request: Request, machine: Scratch, output: Output) -> Plan:
    """The proved plan. Raises Refused when the judge finds an error, InvalidInput for what the user wrote."""
    return flow.propose(request, machine, output)


def carry_out(plan: Plan, machine: Machine, output: Output) -> Outcome:
    """Raises ToolMissing before anything is changed when a service is not installed; else what failed, after the undo."""
    missing = [name for name, service in plan.settings.services.items() if not service.installed]
    if missing:
        hint = "install it before the deployment, or in a step of BeforeInstall"
        raise ToolMissing(f"{' and '.join(missing)} not installed on this machine", hint=hint)
    outcome = flow.carry_out(plan, machine, output)
    # With steps to run, an unchanged configuration is no reason to end early the next time.
    flow.remember(plan, outcome, machine, output, None if plan.steps else plan.settings.inputs)
    return outcome
