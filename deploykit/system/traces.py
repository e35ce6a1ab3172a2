"""What a trial's services left in writing: warnings in their output, and the ends of their private logs."""

from __future__ import annotations

import os
import re
from typing import Iterable, List, Sequence, Tuple

LINES = 3
LOGS = 2
TAIL = 2048
WARNING = re.compile(r"\[warn\]|\bWARNING\b|NOTICE: .*deprecated|^PHP(?: \w+)?:|^Xdebug:", re.IGNORECASE)


def warnings(output: str) -> List[str]:
    """The lines of a start's or a test's output that warn, each once."""
    return [line for line in dict.fromkeys(output.splitlines()) if WARNING.search(line)]


def last_lines(folders: Sequence[str]) -> List[str]:
    """The last three lines of each of the two newest error logs below these (private, so small) folders."""
    logs = sorted(_logs(folders), reverse=True)[:LOGS]
    return [line for _, path in logs for line in _tail(path)]


def _logs(folders: Iterable[str]) -> List[Tuple[int, str]]:
    found = set()
    for top in folders:
        for folder, _, names in os.walk(top):
            for name in names:
                if "log" in name and "access" not in name:
                    found.add(f"{folder}/{name}")
    return [(size_and_time[1], path) for path in found for size_and_time in (_look(path),) if size_and_time[0]]


def _look(path: str) -> Tuple[int, int]:
    try:
        status = os.lstat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _tail(path: str) -> List[str]:
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL))
            text = stream.read(TAIL).decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip() and "] NOTICE: " not in line][-LINES:]
