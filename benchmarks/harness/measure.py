"""One run of one contender, measured from outside."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Mapping, Sequence

SPAWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawn.py")


@dataclass(frozen=True)
class Figures:
    """status 124: past the limit. cpu: seconds, user + system, children included. peak: MiB of the largest process."""

    status: int
    cpu: float
    wall: float
    peak: float
    output: str


def begin(argv: Sequence[str], environment: Mapping[str, str], output: str, timeout: float) -> subprocess.Popen[str]:
    """Start a measured run in the folder of its input; ``output`` is the file that takes what it prints."""
    command = ("/usr/bin/python3", "-I", "-S", SPAWN, str(timeout), output, *argv)
    return subprocess.Popen(command, env=dict(environment), cwd=environment["BENCH_INPUT"], stdout=subprocess.PIPE, text=True)


def end(run: subprocess.Popen[str], output: str) -> Figures:
    """Wait for a measured run and read its figures."""
    told, _ = run.communicate()
    status, cpu, wall, peak = told.split()
    with open(output, encoding="utf-8", errors="replace") as stream:
        return Figures(int(status), float(cpu), float(wall), float(peak), stream.read())


def measure(argv: Sequence[str], environment: Mapping[str, str], output: str, timeout: float) -> Figures:
    """Run a command to its end with nothing on stdin and only ``environment`` around it."""
    return end(begin(argv, environment, output, timeout), output)
