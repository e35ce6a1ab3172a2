"""ValidateService: the deployment counts only if the site answers: services run, files are as recorded, probes pass."""

from __future__ import annotations

from dataclasses import replace
from typing import List

from deploykit import record as records
from deploykit.errors import Failed
from deploykit.flow import plan_steps, read_record, run_steps
from deploykit.model import Outcome, Plan, Request
from deploykit.services import running
from deploykit.stages.render import render_probes
from deploykit.stages.verify import verify
from deploykit.system.output import Output
from deploykit.system.port import Machine, Readable, Scratch

FORGIVING = False


def decide(request: Request, machine: Scratch, output: Output) -> Plan:
    """What will be asked."""
    plan = plan_steps(request, machine, output)
    return replace(plan, probes=render_probes(plan.settings))


def carry_out(plan: Plan, machine: Machine, output: Output) -> Outcome:
    """Raises Failed with what does not hold."""
    services = plan.settings.services
    dead = [name for name in services if name not in running.names(services.values(), machine)]
    if dead:
        raise Failed(f"{' and '.join(dead)} not running", hint="ApplicationStart starts them; its log says why it did not")
    different = _different(plan.request.prefix, machine)
    if different:
        more = f" and {len(different) - 1} more" if len(different) > 1 else ""
        raise Failed(
            f"{different[0]}{more} is not as it was deployed", hint="somebody changed it since: 'deploykit status' lists all"
        )
    verify(plan.probes, machine, plan.request.deadline, output.detail)
    steps = run_steps(plan, machine, output)
    return Outcome("", f"{len(plan.probes)} probes passed, files as recorded", notes=steps.notes)


def _different(prefix: str, machine: Readable) -> List[str]:
    record = read_record(prefix, machine)
    return [
        path
        for path, owned in record.files.items()
        if machine.find(path).kind != "file" or records.digest(machine.read(path)) != owned.sha256
    ]
