"""Five kinds of trouble, and what is seen afterwards: the tree, the services, the exit status, the reload.

bad: one file that nginx refuses by itself. cross: two files, right alone, refused together. partial: one right and one refused
change in one run; fixed: then the right one alone. owed: nginx cannot be reloaded in one run (its pid file is away), can in the
next. twice: two runs at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable, Dict, Tuple

from harness.contenders import Contender, succeeded
from harness.job import with_site
from harness.layout import Layout
from harness.masters import Masters
from harness.measure import Figures, begin, end
from harness.rounds import Arena, make_arena
from harness.tree import differences, snapshot

LIMIT = 300.0


@dataclass(frozen=True)
class Trouble:
    """One contender in an arena whose input has the variants ``a b bad cross partial fixed``."""

    arena: Arena
    contender: Contender

    def install(self) -> None:
        """Bring everything to variant ``a`` by the contender itself, as its own earlier deployment."""
        self.arena.reset()
        self.run("a")
        self.arena.masters.settle()

    def run(self, variant: str) -> Figures:
        """One run, then wait for the services."""
        self.contender.fresh(self.arena.layout, variant)
        figures = self.arena.run(self.contender, variant, LIMIT)
        self.arena.masters.settle(10.0)
        return figures

    def touched(self, variant: str = "a") -> int:
        """Files that are not as in a variant."""
        return len(differences(snapshot(self.arena.layout), self.arena.base, self.arena.files[variant]))

    def untouched(self) -> str:
        """The answer for people: is the live tree as before?"""
        files = self.touched()
        return f"**no, {files}**" if files else "yes"

    def serving(self) -> str:
        """Does the first site still answer, after the reload that somebody else may ask for?"""
        return yes(self.arena.masters.alive() and self.arena.masters.serves("site0001.example.com", "site0001"))

    def ended(self, figures: Figures) -> str:
        """The exit status, marked when it calls a failure a success."""
        return f"**{figures.status}**" if succeeded(self.contender, figures.status) else str(figures.status)


def make_trouble(layout: Layout, masters: Masters, sites: int, contender: Contender) -> Trouble:
    """An arena with every variant of the input; needs at least three sites."""
    arena = make_arena(layout, masters, sites)
    right = with_site(arena.job, 1, static_expires="9d")
    arena.add("bad", with_site(arena.job, 2, client_max_body_size="9q"))
    cross = with_site(arena.job, 2, listen_options=" default_server")
    arena.add("cross", with_site(cross, 3, listen_options=" default_server"))
    arena.add("partial", with_site(right, 2, client_max_body_size="9q"))
    arena.add("fixed", right)
    return Trouble(arena, contender)


def bad(trouble: Trouble) -> Dict[str, str]:
    """A file that is refused by itself."""
    return _refused(trouble, "bad")


def cross(trouble: Trouble) -> Dict[str, str]:
    """Two files that are refused together."""
    return _refused(trouble, "cross")


def _refused(trouble: Trouble, variant: str) -> Dict[str, str]:
    trouble.install()
    before = trouble.arena.masters.marks()
    figures = trouble.run(variant)
    reloaded, _ = trouble.arena.masters.marks().since(before)
    return {
        f"{variant}: live tree untouched": trouble.untouched(),
        f"{variant}: exit status": trouble.ended(figures),
        f"{variant}: still serving, not reloaded": yes(trouble.serving() == "yes" and not reloaded),
    }


def partial_then_fixed(trouble: Trouble) -> Dict[str, str]:
    """One right and one refused change, then the right one alone: is what is on disk also what runs?"""
    trouble.install()
    before = trouble.arena.masters.marks()
    figures = trouble.run("partial")
    rows = {"partial: live tree untouched": trouble.untouched(), "partial: exit status": trouble.ended(figures)}
    figures = trouble.run("fixed")
    reloaded, _ = trouble.arena.masters.marks().since(before)
    rows["then fixed: tree right"] = yes(not trouble.touched("fixed"))
    rows["then fixed: nginx reloaded"] = yes(reloaded)
    rows["then fixed: exit status"] = str(figures.status)
    return rows


def owed_reload(trouble: Trouble) -> Dict[str, str]:
    """nginx's pid file is away for one run: the reload fails, and the next run should make up for it."""
    trouble.install()
    before = trouble.arena.masters.marks()
    pid_file = trouble.arena.layout.nginx_pid
    os.rename(pid_file, pid_file + ".away")
    figures = trouble.run("b")
    os.rename(pid_file + ".away", pid_file)
    second = trouble.run("b")
    reloaded, _ = trouble.arena.masters.marks().since(before)
    return {
        "reload fails once: exit status": trouble.ended(figures),
        "next run: exit status": str(second.status),
        "next run: nginx runs what the files say": yes(reloaded and not trouble.touched("b")),
    }


def two_at_once(trouble: Trouble) -> Dict[str, str]:
    """Two runs of the same change at the same time, three times: when both do the work, nginx is reloaded twice."""
    trouble.install()
    seen = [_race(trouble, variant) for variant in ("b", "a", "b")]
    most = max(reloads for _, reloads in seen)
    return {
        "two at once: exit statuses": " / ".join(dict.fromkeys(statuses for statuses, _ in seen)),
        "two at once: reloads of nginx, at most": str(most) if most == 1 else f"**{most}**",
        "two at once: tree right": yes(not trouble.touched("b")),
    }


def _race(trouble: Trouble, variant: str) -> Tuple[str, int]:
    layout, before = trouble.arena.layout, trouble.arena.masters.nginx_reloads()
    trouble.contender.fresh(layout, variant)
    environment = {**layout.environment(variant), **trouble.contender.extra(layout, variant)}
    outputs = [os.path.join(layout.folder, f"output{number}") for number in (1, 2)]
    runs = [begin(trouble.contender.command(layout, variant), environment, output, LIMIT) for output in outputs]
    statuses = sorted(end(run, output).status for run, output in zip(runs, outputs))
    trouble.arena.masters.settle(10.0)
    return " ".join(map(str, statuses)), trouble.arena.masters.nginx_reloads() - before


def yes(true: bool) -> str:
    """``yes``, or a ``no`` that stands out."""
    return "yes" if true else "**no**"


BEHAVIOUR: Tuple[Callable[[Trouble], Dict[str, str]], ...] = (bad, cross, partial_then_fixed, owed_reload, two_at_once)
