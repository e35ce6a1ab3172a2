"""The measured runs: contenders in turn, the order rotated every round, each run checked before it counts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from harness.contenders import Contender, succeeded
from harness.inputs import write_input
from harness.job import Job, make_job, wanted, with_site
from harness.layout import Layout
from harness.masters import Masters
from harness.measure import Figures, measure
from harness.tree import Snapshot, differences, lay_base, restore, snapshot

CASES = ("first", "same", "moved", "one")
"""first: everything changes. same: nothing does. moved: nothing does, but the same input lies in another folder, as a new
revision's would. one: one variable of one vhost changes."""
VARIANT = {"first": "a", "same": "a", "moved": "moved", "one": "b"}
RELOADS = {"first": (True, 1), "same": (False, 0), "moved": (False, 0), "one": (True, 0)}


@dataclass(frozen=True)
class Run:
    """One run: its figures, and why it is void (``""`` when it counts). number 0 is the warm-up."""

    contender: str
    sites: int
    case: str
    number: int
    figures: Figures
    void: str


@dataclass
class Arena:
    """One root with running services, the inputs, and what the tree must be for each variant of them."""

    layout: Layout
    masters: Masters
    job: Job
    base: Snapshot
    files: Dict[str, Mapping[str, bytes]] = field(default_factory=dict)

    def add(self, variant: str, job: Job) -> None:
        """Write one more variant of the input."""
        write_input(job, self.layout.input(variant))
        self.files[variant] = wanted(job, self.layout)

    def reset(self) -> None:
        """Back to the base, files and processes."""
        restore(self.layout, self.base)
        self.masters.start()
        self.masters.reload()

    def run(self, contender: Contender, variant: str, timeout: float) -> Figures:
        """Settle, then run a contender once."""
        self.masters.settle()
        environment = {**self.layout.environment(variant), **contender.extra(self.layout, variant)}
        output = os.path.join(self.layout.folder, "output")
        return measure(contender.command(self.layout, variant), environment, output, timeout)


def make_arena(layout: Layout, masters: Masters, sites: int) -> Arena:
    """Lay the base tree, start the services, write the variants of the input."""
    job = make_job(layout, sites, masters.port)
    arena = Arena(layout, masters, job, lay_base(layout, sites, masters.port))
    arena.add("a", job)
    arena.add("moved", job)
    arena.add("b", with_site(job, (sites + 1) // 2, static_expires="8d"))
    masters.start()
    return arena


@dataclass(frozen=True)
class Plan:
    """What to measure. limit: seconds of a slow run; timeout: seconds that end one; say: called after each run."""

    repetitions: int
    cases: Sequence[str]
    limit: float
    timeout: float
    say: Callable[[Run], None]


def play(arena: Arena, contenders: Sequence[Contender], plan: Plan) -> List[Run]:
    """All rounds for one number of sites. A slow contender gets two runs that count at most."""
    runs: List[Run] = []
    slow = set()
    for number in range(plan.repetitions + 1):
        for contender in rotated(contenders, number):
            if contender.name in slow and number > 2:
                continue
            done = turn(arena, contender, plan, number)
            runs += done
            if any(run.figures.wall > plan.limit for run in done):
                slow.add(contender.name)
    return runs


def rotated(contenders: Sequence[Contender], number: int) -> Sequence[Contender]:
    """The contenders, another one first in every round."""
    shift = number % len(contenders)
    return (*contenders[shift:], *contenders[:shift])


def turn(arena: Arena, contender: Contender, plan: Plan, number: int) -> List[Run]:
    """One contender's turn: from the base through the cases; ``first`` is always run, for the others start from it."""
    arena.reset()
    runs = []
    for case in (case for case in CASES if case in ("first", *plan.cases)):
        contender.fresh(arena.layout, VARIANT[case])
        before = arena.masters.marks()
        figures = arena.run(contender, VARIANT[case], plan.timeout)
        arena.masters.settle()
        void = fault(arena, contender, case, figures) or wrong_reload(case, arena.masters.marks().since(before))
        run = Run(contender.name, len(arena.job.sites), case, number, figures, void)
        plan.say(run)
        if case in plan.cases:
            runs.append(run)
    return runs


def fault(arena: Arena, contender: Contender, case: str, figures: Figures) -> str:
    """What is wrong with the status or the tree after a run, ``""`` for nothing."""
    if not succeeded(contender, figures.status):
        return f"exit status {figures.status}: {figures.output.strip()[-600:]}"
    if not arena.masters.alive():
        return "a master is gone"
    wrong = differences(snapshot(arena.layout), arena.base, arena.files[VARIANT[case]])
    return f"{len(wrong)} files are not as wanted, first {wrong[0]}" if wrong else ""


def wrong_reload(case: str, seen: Tuple[bool, int]) -> str:
    """Were exactly those services reloaded whose files changed? (nginx: yes or no; php-fpm: how often.)"""
    nginx, fpm = RELOADS[case]
    if seen == (nginx, fpm):
        return ""
    return f"nginx reloaded: {seen[0]}, php-fpm reloads: {seen[1]}; right would be {nginx}, {fpm}"
