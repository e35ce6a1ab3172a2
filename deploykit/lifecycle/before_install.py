"""BeforeInstall: the last chance to refuse, before the agent deletes the previous application.

Everything that AfterInstall would refuse is refused here: the candidate is rendered and judged, and the machine is
looked at (programs, accounts, space, listeners of others, files in the way). Nothing is changed but by its steps.
"""

from __future__ import annotations

from dataclasses import replace

from deploykit.flow import NOT_NEEDED, plan_steps, propose, run_steps
from deploykit.model import Outcome, Plan, Request
from deploykit.stages.preflight import preflight
from deploykit.system.output import Output
from deploykit.system.port import Machine, Scratch

FORGIVING = False


def decide(request: Request, machine: Scratch, output: Output) -> Plan:
    """Raises ToolMissing, Refused or InvalidInput with what would stop the deployment later."""
    plan = plan_steps(request, machine, output)
    notes = preflight(plan.settings, request, machine)
    if not all(service.installed for service in plan.settings.services.values()):
        return replace(plan, notes=(*plan.notes, *notes))
    proved = propose(request, machine, output, asking=False)
    coming = f"AfterInstall will change {len(proved.changes)} files"
    return replace(plan, verdict=proved.verdict, unchanged=proved.unchanged, notes=(*plan.notes, *notes, coming))


def carry_out(plan: Plan, machine: Machine, output: Output) -> Outcome:
    """Run the event's steps."""
    done = run_steps(plan, machine, output)
    fit = f"fit to deploy; judge: {plan.verdict.judge}" if plan.verdict.judge != NOT_NEEDED else "fit to deploy"
    return replace(done, summary=f"{fit}; {done.summary}" if plan.steps else fit, notes=(*plan.notes, *done.notes))
