#!/usr/bin/env python3
"""What each contender does when things go wrong: a table of behaviour, one command (``faults.py --help``)."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import Any, Callable, Dict, List, Mapping, Sequence

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import report
from harness.contenders import ALL, Contender
from harness.faults import BEHAVIOUR, Trouble, make_trouble
from harness.guard import end_in_order
from harness.layout import BENCHMARKS, make_layout
from harness.masters import Masters, allow_files, free_port

HEADING = ["# When things go wrong", "", "One run each on a private root with real services; how to read the rows: README.md."]


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    everyone = ",".join(name for name in ALL if name != "deploykit-cold")
    parser.add_argument("--contenders", default=everyone, help="who takes part")
    parser.add_argument("--sites", type=int, default=10, help="number of sites")
    parser.add_argument("--output", default=BENCHMARKS, help="folder for the results")
    parser.add_argument("--name", default="faults", help="name of the results: NAME.md and NAME.json")
    return parser.parse_args(argv)


def observe(contender: Contender, sites: int) -> Mapping[str, str]:
    """Every behaviour of one contender, in a private root of its own."""
    layout = make_layout()
    masters = Masters(layout, free_port())
    try:
        trouble = make_trouble(layout, masters, sites, contender)
        return {row: seen for behaviour in BEHAVIOUR for row, seen in told(behaviour, trouble).items()}
    finally:
        masters.stop()
        shutil.rmtree(layout.folder, ignore_errors=True)


def told(behaviour: Callable[[Trouble], Dict[str, str]], trouble: Trouble) -> Dict[str, str]:
    """What one behaviour shows, said on stderr as well."""
    seen = behaviour(trouble)
    for row, answer in seen.items():
        print(f"{trouble.contender.name:15} {row:45} {answer}", file=sys.stderr, flush=True)
    return seen


def table(seen: Mapping[str, Mapping[str, str]]) -> str:
    """A Markdown table, one column per contender."""
    rows = list(dict.fromkeys(row for column in seen.values() for row in column))
    lines = [["", *seen], ["---"] * (len(seen) + 1)]
    lines += [[row, *(column.get(row, "-") for column in seen.values())] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def main(argv: Sequence[str]) -> int:
    """0 always: what is observed is no failure of ours."""
    options = arguments(argv)
    end_in_order()
    allow_files()
    contenders: List[Contender] = [ALL[name] for name in options.contenders.split(",")]
    there = [contender for contender in contenders if not contender.missing()]
    seen = {contender.name: observe(contender, options.sites) for contender in there}
    absent = [f"\n{one.name} was skipped: {one.missing()} is missing.\n" for one in contenders if one.missing()]
    text = table(seen) + "".join(absent)
    print(text)
    figures: Dict[str, Any] = {"heading": HEADING, "machine": report.machine(), "seen": seen}
    figures["versions"] = report.versions(there)
    report.write(options.output, options.name, text, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
