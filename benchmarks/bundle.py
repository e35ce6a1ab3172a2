#!/usr/bin/env python3
"""What the bundle weighs and what its start costs, beside ``import jinja2, yaml``: ``bundle.py --help``.

Instructions are counted by valgrind, for the process itself and not for the programs that it starts: they stay the same on a
busy machine, where milliseconds double. The exit status is 1 when a ratio is above its limit.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

TOP = Path(__file__).resolve().parent.parent
LIMITS = {"--version": 0.6, "AfterInstall, ready to render": 1.3}
REFERENCE = "import jinja2, yaml"
FLAGS = ("-I", "-S", "-X", "utf8")
COLLECTED = re.compile(r"Collected : (\d+)")
# Everything that a deployment's main hook does until it renders its first template, the check of the bundle included.
READY = """
import os, sys
here = sys.argv[1]
launcher = {"__name__": "launcher"}
exec(compile(open(here + "/run.py").read(), "run.py", "exec"), launcher)
launcher["check_bundle"](here)
launcher["find_libraries"](here)
from deploykit import cli, flow
import deploykit.templating.environment, jinja2
flow.render = lambda *_: os._exit(7)
cli.main(["run", "AfterInstall", "--dry-run", "--env", "staging", "--root", sys.argv[2]], bundle=here)
"""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that is measured")
    parser.add_argument("--repetitions", type=int, default=11, help="starts for each time that is told")
    parser.add_argument("--output", default="", help="folder for bundle.md and bundle.json")
    return parser.parse_args()


def build(target: Path) -> Dict[str, Any]:
    """Bundle the sample application; what the program tells about it."""
    command = [sys.executable, str(TOP / "run.py"), "bundle", "--json", "--source", str(TOP), "-o", str(target)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    told: Dict[str, Any] = json.loads(ended.stdout)
    return told


def parts(archive: Path) -> Dict[str, Tuple[int, int]]:
    """Zipped bytes and files of each part."""
    found: Dict[str, Tuple[int, int]] = {}
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            top, slash, rest = info.filename.partition("/")
            name = f"{top}/{rest.partition('/')[0]}" if top == "vendor" else top if slash else "other files"
            size, files = found.get(name, (0, 0))
            found[name] = (size + info.compress_size, files + 1)
    return found


class Bench:
    """One unpacked bundle, and the commands that are measured on it."""

    def __init__(self, archive: Path, folder: Path, python: str) -> None:
        self._archive = archive
        self._python = python
        self.here = folder / "archive"
        self._root = folder / "root"
        (self._root / "etc").mkdir(parents=True)
        self.unpack()

    def unpack(self) -> None:
        """Anew: no bytecode, no mark of an earlier check."""
        shutil.rmtree(self.here, ignore_errors=True)
        subprocess.run(["unzip", "-q", str(self._archive), "-d", str(self.here)], check=True)

    def commands(self) -> Dict[str, List[str]]:
        """What is measured."""
        start = [self._python, *FLAGS]
        libraries = f"import sys; sys.path.append({str(self.here / 'vendor/lib')!r}); {REFERENCE}"
        return {
            "interpreter": [*start, "-c", "pass"],
            REFERENCE: [*start, "-c", libraries],
            "--version": [*start, str(self.here / "run.py"), "--version"],
            "AfterInstall, ready to render": [*start, "-c", READY, str(self.here), str(self._root)],
        }

    def instructions(self, command: Sequence[str]) -> int:
        """Of the second start: the first one writes bytecode."""
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        ended = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        counted = COLLECTED.search(ended.stderr)
        if not counted:
            raise SystemExit(f"valgrind counted nothing:\n{ended.stderr}")
        return int(counted[1])

    def seconds(self, command: Sequence[str], repetitions: int, cold: bool) -> Tuple[float, int]:
        """(Median CPU seconds, children included; 0 or the exit status of the last start)."""
        times = []
        for _ in range(repetitions):
            if cold:
                self.unpack()
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            status = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return statistics.median(times), status


def measure(bench: Bench, repetitions: int) -> List[Dict[str, Any]]:
    """A row for each command."""
    rows: List[Dict[str, Any]] = []
    for name, command in bench.commands().items():
        cold, _ = bench.seconds(command, repetitions, cold=True)
        warm, status = bench.seconds(command, repetitions, cold=False)
        if status not in (0, 7):
            raise SystemExit(f"{name}: exit status {status}")
        rows.append({"what": name, "cold_ms": cold * 1e3, "warm_ms": warm * 1e3, "instructions": bench.instructions(command)})
    reference = next(row["instructions"] for row in rows if row["what"] == REFERENCE)
    for row in rows:
        row["ratio"] = row["instructions"] / reference
        row["limit"] = LIMITS.get(row["what"])
    return rows


def text(told: Dict[str, Any], weights: Dict[str, Tuple[int, int]], rows: Sequence[Dict[str, Any]]) -> str:
    """The report as Markdown."""
    lines = [
        "# The bundle",
        "",
        f"{told['bytes'] / 1e6:.2f} MB, {told['files']} files, {told['unpacked_bytes'] / 1e6:.2f} MB unpacked.",
    ]
    lines += ["", "| part | zipped kB | files |", "|---|---|---|"]
    lines += [f"| {name} | {size / 1e3:.0f} | {files} |" for name, (size, files) in sorted(weights.items())]
    lines += ["", "CPU, median; cold: freshly unpacked. Ratio: instructions, warm, against the second row.", ""]
    lines += ["| start | cold ms | warm ms | million instructions | ratio | limit |", "|---|---|---|---|---|---|"]
    for row in rows:
        limit = f"{row['limit']:.1f}" if row["limit"] else ""
        figures = f"{row['cold_ms']:.0f} | {row['warm_ms']:.0f} | {row['instructions'] / 1e6:.1f} | {row['ratio']:.2f}"
        lines.append(f"| {row['what']} | {figures} | {limit} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Build, measure, tell; 1 when a limit is broken."""
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="deploykit-bench-"))
    try:
        told = build(folder / "revision.zip")
        rows = measure(Bench(folder / "revision.zip", folder, options.python), options.repetitions)
        weights = parts(folder / "revision.zip")
    finally:
        shutil.rmtree(folder)
    report = text(told, weights, rows)
    print(report, end="")
    if options.output:
        (Path(options.output) / "bundle.md").write_text(report, encoding="utf-8")
        document = {"bytes": told["bytes"], "files": told["files"], "parts": weights, "starts": rows}
        (Path(options.output) / "bundle.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if any(row["limit"] and row["ratio"] > row["limit"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
