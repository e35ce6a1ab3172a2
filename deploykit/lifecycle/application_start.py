"""ApplicationStart: both services run, with the configuration that is live; then the event's steps.

What runs already is left alone; a reload that is owed from an earlier event is made good.
"""

from __future__ import annotations

from dataclasses import replace

from deploykit.errors import ToolMissing
from deploykit.flow import plan_steps, run_steps
from deploykit.model import Outcome, Plan, Request, SocketMoves
from deploykit.services import running, supervisor
from deploykit.stages.reload import reload
from deploykit.system.output import Output
from deploykit.system.port import Machine, Scratch

FORGIVING = False


def decide(request: Request, machine: Scratch, output: Output) -> Plan:
    """What has to be started, and which reloads are owed."""
    plan = plan_steps(request, machine, output)
    services = plan.settings.services
    alive = running.names(services.values(), machine)
    owed = running.owed([s for s in services.values() if s.name not in machine.proved()], machine)
    # php-fpm first: nginx has somebody to ask as soon as it listens
    start = tuple(sorted((name for name in services if name not in alive), reverse=True))
    return replace(plan, start=start, due=owed, owed=owed)


def carry_out(plan: Plan, machine: Machine, output: Output) -> Outcome:
    """Raises ToolMissing for a service that is not installed, Failed with a service's own words when it does not start."""
    services = plan.settings.services
    for name in plan.start:
        if not services[name].installed:
            raise ToolMissing(f"{name} is not installed on this machine", hint="install it before the deployment")
        supervisor.ensure_running(services[name], machine)
        output.say(f"started {name}")
        output.ending = f"{' and '.join(plan.start[: plan.start.index(name) + 1])} started, and left running"
    notes = reload(services, plan.due, SocketMoves(), machine, output.detail)
    machine.refresh_proof()
    steps = run_steps(plan, machine, output)
    started = f"started {' and '.join(plan.start)}" if plan.start else "both services run"
    return Outcome("", started, len(plan.start), plan.due, (*notes, *steps.notes))
