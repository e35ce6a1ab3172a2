"""``run: [php, artisan, config:cache]``: one command, as a list of words; never a shell string.

run: {command: [php, artisan, config:cache], timeout: 60}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Tuple

from deploykit.errors import Failed, InvalidInput
from deploykit.model import StepSpec
from deploykit.system.output import Output
from deploykit.system.port import Machine

DEFAULT_SECONDS = 300.0
_KEYS = ("command", "timeout")


@dataclass(frozen=True)
class Run:
    """seconds: how long the command may take."""

    command: Tuple[str, ...]
    seconds: float


def decide(step: StepSpec) -> Run:
    """What the arguments mean. Raises InvalidInput."""
    arguments = step.arguments if isinstance(step.arguments, dict) else {"command": step.arguments}
    for key in arguments:
        if key not in _KEYS:
            raise InvalidInput(f"run: unknown key {key!r}", at=step.at, hint=f"the keys are {', '.join(_KEYS)}")
    command, seconds = arguments.get("command"), arguments.get("timeout", DEFAULT_SECONDS)
    if not _words(command):
        raise InvalidInput(
            "run: wants a list of words", at=step.at, hint="write run: [php, artisan, config:cache]; no shell is involved"
        )
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds <= 0:
        raise InvalidInput("run: timeout must be a number of seconds", at=step.at, hint="write timeout: 60")
    return Run(tuple(str(word) for word in command or ()), float(seconds))


def carry_out(step: StepSpec, machine: Machine, output: Output) -> None:
    """Run it; its lines go to the log. Raises Failed with its exit status and last line."""
    wanted = decide(step)
    result = machine.command(wanted.command, wanted.seconds, output.detail)
    if result.status:
        last = (result.output.strip().splitlines() or ["no output"])[-1]
        raise Failed(
            f"{' '.join(wanted.command)} ended with status {result.status}: {last}",
            at=step.at,
            hint="its whole output is in the log",
        )


def _words(command: Any) -> bool:
    return isinstance(command, (list, tuple)) and bool(command) and all(isinstance(word, (str, int)) for word in command)
