"""The lock: which libraries travel, in which versions, and the SHA-256 of every wheel that may be taken for them.

``requirements.lock`` beside this file is in pip's own format, good for ``pip install --require-hashes -r`` as well.
``python -m deploykit.bundle.relock`` writes it anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import FrozenSet, Iterable, List, Tuple

from deploykit.errors import InvalidInput, Location

PATH = "deploykit/bundle/requirements.lock"
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
MACHINES = ("aarch64", "x86_64")
BUILD_ONLY = frozenset({"pathspec"})  # what a build needs, and an instance does not

_PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([^\s;]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_HEAD = """\
# Written by `make lock`; do not edit. Resolved for Python {oldest}, with the wheels of Python {first} to {last} for Linux on
# {machines} (glibc). These wheels, and no others, go into a bundle; pathspec is for the build alone.
"""


@dataclass(frozen=True)
class Locked:
    """One library: its normalised name, its version, and the wheels (by SHA-256) that are good for it."""

    name: str
    version: str
    hashes: FrozenSet[str]


@dataclass(frozen=True)
class Target:
    """What a wheel must run on: ``3.9``, ``x86_64``."""

    python: str
    machine: str

    def __str__(self) -> str:
        return f"Python {self.python} on {self.machine}"


def targets(pythons: Iterable[str] = PYTHONS) -> Tuple[Target, ...]:
    """Every machine with every Python."""
    return tuple(Target(python, machine) for machine in MACHINES for python in pythons)


def parse(text: str, file: str = PATH) -> Tuple[Locked, ...]:
    """The libraries of a lock. Raises InvalidInput for a line that pins nothing or has no hash."""
    found: List[Locked] = []
    for number, line in _joined(text):
        pin = _PIN.match(line)
        hashes = frozenset(_HASH.findall(line))
        if pin is None or not hashes:
            hint = "every line is name==version with --hash=sha256:...; make lock writes the file"
            raise InvalidInput("a requirement that is not locked", at=Location(file, number), hint=hint)
        found.append(Locked(pin[1], pin[2], hashes))
    return tuple(found)


def dump(libraries: Iterable[Locked]) -> str:
    """The text of a lock, sorted."""
    lines = [_HEAD.format(oldest=PYTHONS[0], first=PYTHONS[0], last=PYTHONS[-1], machines=" and ".join(MACHINES))]
    for one in sorted(libraries, key=lambda one: one.name):
        hashes = [f"    --hash=sha256:{digest}" for digest in sorted(one.hashes)]
        lines.append(" \\\n".join([f"{one.name}=={one.version}", *hashes]) + "\n")
    return "".join(lines)


def _joined(text: str) -> List[Tuple[int, str]]:
    """(Number of its first line, whole requirement) without comments and blank lines."""
    found: List[Tuple[int, str]] = []
    going_on = False
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not going_on and (not bare or bare.startswith("#")):
            continue
        piece = bare[:-1].rstrip() if bare.endswith("\\") else bare
        if going_on:
            first, before = found.pop()
            found.append((first, f"{before} {piece}"))
        else:
            found.append((number, piece))
        going_on = bare.endswith("\\")
    return found
