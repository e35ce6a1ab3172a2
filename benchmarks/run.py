#!/usr/bin/env python3
"""Measure deploykit and its peers on the same job, side by side in one run: ``run.py --help``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import asdict
from typing import Any, Dict, List, Sequence, Tuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import report
from harness.contenders import ALL, Contender
from harness.guard import end_in_order
from harness.layout import BENCHMARKS, make_layout
from harness.masters import Masters, allow_files, free_port
from harness.rounds import CASES, Plan, Run, make_arena, play

REPETITIONS = ((10, 7), (100, 5), (10**9, 3))
HEADING = ["# Results", "", "CPU is user + system with all children; ratio is against the script, run by run, median."]
Skipped = List[Tuple[int, str, str]]


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line; lists are written with commas."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--sites", default="1,10,100,1000", help="numbers of sites")
    parser.add_argument("--cases", default=",".join(CASES), help="cases to report")
    parser.add_argument("--contenders", default=",".join(ALL), help="who takes part; the first is not special")
    parser.add_argument("--repetitions", type=int, default=0, help="runs that count, 0: 7 up to 10 sites, 5 up to 100, then 3")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds per run that make a contender slow: 2 runs then")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds after which a run is ended and void")
    parser.add_argument("--all", action="store_true", help="also the slow peers at 1,000 sites")
    parser.add_argument("--output", default=BENCHMARKS, help="folder for the results")
    parser.add_argument("--name", default="results", help="name of the results: NAME.md and NAME.json")
    return parser.parse_args(argv)


def chosen(names: str, skipped: Skipped) -> List[Contender]:
    """The contenders that are there; the others are said to be missing."""
    found = [ALL[name] for name in names.split(",")]
    skipped += [(0, contender.name, f"skipped: {contender.missing()} is missing") for contender in found if contender.missing()]
    return [contender for contender in found if not contender.missing()]


def measure_sites(sites: int, contenders: Sequence[Contender], options: argparse.Namespace) -> List[Run]:
    """All runs for one number of sites, in a private root that is gone afterwards."""
    repetitions = options.repetitions or next(count for most, count in REPETITIONS if sites <= most)
    layout = make_layout()
    masters = Masters(layout, free_port())
    try:
        arena = make_arena(layout, masters, sites)
        return play(arena, contenders, Plan(repetitions, options.cases.split(","), options.limit, options.timeout, say))
    finally:
        masters.stop()
        shutil.rmtree(layout.folder, ignore_errors=True)


def say(run: Run) -> None:
    """One line on stderr after each run."""
    kind = "warm-up" if run.number == 0 else f"run {run.number}"
    figures = run.figures
    line = f"{run.sites:5} {run.contender:15} {run.case:6} {kind:8} CPU {figures.cpu:8.3f} wall {figures.wall:8.3f}"
    print(line + (f"  VOID {run.void}" if run.void else ""), file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> int:
    """0 when every run counted, 1 when some were void."""
    options = arguments(argv)
    end_in_order()
    allow_files()
    skipped: Skipped = []
    contenders = chosen(options.contenders, skipped)
    runs: List[Run] = []
    for sites in map(int, options.sites.split(",")):
        taking = [contender for contender in contenders if options.all or sites <= contender.most]
        skipped += [(sites, one.name, f"skipped above {one.most}: --all") for one in contenders if one not in taking]
        if taking:
            runs += measure_sites(sites, taking, options)
    found = report.rows(runs)
    text = report.table(found, skipped)
    print(text)
    figures: Dict[str, Any] = {
        "machine": report.machine(),
        "versions": report.versions(contenders),
        "rows": found,
        "heading": HEADING,
    }
    figures["runs"] = [{**asdict(run), "figures": {**asdict(run.figures), "output": ""}} for run in runs]
    report.write(options.output, options.name, text, figures)
    return int(any(run.void for run in runs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
