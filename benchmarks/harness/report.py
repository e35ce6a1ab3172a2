"""The figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from statistics import median
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from harness.contenders import ALL, Contender, version_of
from harness.rounds import CASES, Run

FLOOR = "script"
Row = Dict[str, Any]


def rows(runs: Sequence[Run]) -> List[Row]:
    """One row per sites, contender and case that was measured: medians of the runs that count."""
    floor = {(run.sites, run.case, run.number): run.figures.cpu for run in runs if run.contender == FLOOR and not run.void}
    groups: Dict[Tuple[int, str, str], List[Run]] = {}
    for run in runs:
        if run.number:
            groups.setdefault((run.sites, run.contender, run.case), []).append(run)
    return [_row(key, group, floor) for key, group in groups.items()]


def _row(key: Tuple[int, str, str], group: Sequence[Run], floor: Mapping[Tuple[int, str, int], float]) -> Row:
    good = [run for run in group if not run.void]
    row: Row = {"sites": key[0], "contender": key[1], "case": key[2], "runs": len(good), "void": len(group) - len(good)}
    row["reason"] = next((run.void for run in group if run.void), "")
    if good:
        cpu = [run.figures.cpu for run in good]
        row.update(cpu=median(cpu), cpu_min=min(cpu), wall=median(run.figures.wall for run in good))
        row["peak"] = max(run.figures.peak for run in good)
    pairs = [run.figures.cpu / floor[key[0], key[2], run.number] for run in good if (key[0], key[2], run.number) in floor]
    row["ratio"] = median(pairs) if pairs else None
    return row


def table(found: Sequence[Row], skipped: Sequence[Tuple[int, str, str]]) -> str:
    """A Markdown table: per case CPU s, wall s and ratio; then what was void and what was skipped."""
    cases = [case for case in CASES if any(row["case"] == case for row in found)]
    head = ["sites", "contender", "runs", *(f"{case}: CPU s / wall s / ratio" for case in cases), "peak MiB"]
    lines = [_line(head), _line(["---"] * len(head))]
    order = list(ALL)
    keys = list(dict.fromkeys((row["sites"], row["contender"]) for row in found))
    for sites, contender in sorted(keys, key=lambda key: (key[0], order.index(key[1]))):
        mine = {row["case"]: row for row in found if (row["sites"], row["contender"]) == (sites, contender)}
        lines.append(_line([sites, contender, _runs(mine), *(_cell(mine.get(case)) for case in cases), _peak(mine)]))
    lines += [_line([sites, name, why, *("-" for _ in cases), "-"]) for sites, name, why in skipped]
    return "\n".join(lines) + "\n" + _voids([row for row in found if row["void"]])


def _voids(found: Sequence[Row]) -> str:
    lines = [f"- {row['sites']} sites, {row['contender']}, {row['case']}: {row['reason'][:300]}" for row in found]
    return "\n".join(["", "Void runs (not averaged):", "", *lines, ""]) if lines else ""


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _runs(mine: Mapping[str, Row]) -> str:
    counts = sorted({row["runs"] for row in mine.values()})
    return "-".join(map(str, counts))


def _peak(mine: Mapping[str, Row]) -> str:
    return f"{max((row.get('peak', 0.0) for row in mine.values()), default=0.0):.0f}"


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    if not row["runs"]:
        return "**void**"
    ratio = f" / **{row['ratio']:.2f}**" if row["ratio"] is not None else ""
    return f"{row['cpu']:.3f} / {row['wall']:.3f}{ratio}" + (f" ({row['void']} void)" if row["void"] else "")


def machine() -> Mapping[str, str]:
    """What these figures were measured on; nothing that tells when or by whom."""
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        model = next((line.partition(":")[2].strip() for line in stream if line.startswith("model name")), platform.machine())
    return {
        "cpu": f"{os.cpu_count()} x {model}",
        "kernel": platform.release(),
        "system": _first("sh", "-c", '. /etc/os-release; echo "$PRETTY_NAME"'),
        "python": _first("/usr/bin/python3", "--version"),
        "nginx": _first("/usr/sbin/nginx", "-v"),
    }


def versions(contenders: Sequence[Contender]) -> Mapping[str, str]:
    """What each contender says its version is."""
    told = {contender.name: version_of(contender) for contender in contenders}
    return {name: version for name, version in told.items() if version}


def write(folder: str, name: str, text: str, figures: Mapping[str, Any]) -> None:
    """Write NAME.md and NAME.json into ``folder``."""
    about = [f"- {key}: {value}" for key, value in {**figures["machine"], **figures["versions"]}.items()]
    with open(os.path.join(folder, f"{name}.md"), "w", encoding="utf-8") as stream:
        stream.write("\n".join([*figures["heading"], "", text, *about]) + "\n")
    with open(os.path.join(folder, f"{name}.json"), "w", encoding="utf-8") as stream:
        json.dump({key: value for key, value in figures.items() if key != "heading"}, stream, indent=1)
        stream.write("\n")


def _first(*argv: str) -> str:
    told = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (told.stdout or told.stderr).partition("\n")[0].strip()
