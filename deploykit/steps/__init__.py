"""One module per step that a user can write under ``events:`` in deploykit.yml, named as it is written there.

A step module has ``decide(step)``, which raises InvalidInput for arguments that make no sense, and
``carry_out(step, machine, output)``, which raises Failed.
"""

from __future__ import annotations

import difflib
from typing import Dict, Protocol

from deploykit.errors import InvalidInput
from deploykit.model import StepSpec
from deploykit.steps import run
from deploykit.system.output import Output
from deploykit.system.port import Machine


class Step(Protocol):
    """What a step module offers."""

    def decide(self, step: StepSpec) -> object: ...

    def carry_out(self, step: StepSpec, machine: Machine, output: Output) -> None: ...


STEPS: Dict[str, Step] = {"run": run}


def find(step: StepSpec) -> Step:
    """The module for a step. Raises InvalidInput for a name that is none, with the nearest one."""
    if step.name not in STEPS:
        near = difflib.get_close_matches(step.name, STEPS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the steps are {', '.join(sorted(STEPS))}"
        raise InvalidInput(f"unknown step {step.name!r}", at=step.at, hint=hint)
    return STEPS[step.name]
