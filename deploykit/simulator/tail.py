"""What of a hook's output reaches the console: a tail of whole lines, 2048 long, counted as each agent counts."""

from __future__ import annotations

import re
from typing import List

from deploykit.simulator.agents import Agent

SIZE = 2048
_WHITE = b" \t\n\v\f\r\0"
LONGEST = 64 << 10  # version 2 cuts a line here
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class Tail:
    """The buffer of one event. Bytes that are no text are kept as lone surrogates, one each."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lines: List[str] = []

    def add(self, stamp: str, line: str) -> None:
        """One more line. stamp: the time, as version 2 puts it before each."""
        if self._agent.bytes_tail:
            self._add_v2(f"{stamp} {line}")
        else:
            self._add_v1(line)

    def text(self) -> str:
        """The tail as it is now."""
        return "".join(self._lines)

    def _add_v1(self, line: str) -> None:
        """Version 1 subtracts the length of the line before the one that it has just let in: the newest is never counted, and
        of the others the last one twice."""
        lines = [*self._lines, line]
        first, left = len(lines), SIZE
        while first and left > len(lines[first - 1]):
            first -= 1
            left -= len(lines[first - 1])
        self._lines = lines[first:]

    def _add_v2(self, line: str) -> None:
        self._lines.append(cut(line.rstrip("\n")) + "\n")
        while sum(len(one.encode()) for one in self._lines) > SIZE:
            del self._lines[0]


def cut(line: str) -> str:
    """A line as version 2 keeps it: without ANSI codes, not over 64 KiB."""
    plain = _ANSI.sub("", line)
    return plain if len(plain) * 4 <= LONGEST else plain.encode()[:LONGEST].decode("utf-8", "ignore")


def breaks_reader(line: bytes) -> bool:
    """Does version 1's reader die of this line? It takes white space off the end, and for that must read the last character.

    (Broken bytes further left it does not look at.)
    """
    rest = line
    while rest:
        head = len(rest) - 1
        while head and 0x80 <= rest[head] <= 0xBF:
            head -= 1
        if not _begins_well(rest[head:]):
            return True
        if rest[head] not in _WHITE:
            return False
        rest = rest[:head]
    return False


def _begins_well(text: bytes) -> bool:
    """Is the first character whole?"""
    return any(_is_text(text[:size]) for size in range(1, min(len(text), 4) + 1))


def _is_text(text: bytes) -> bool:
    try:
        return bool(text.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def is_utf8(text: str) -> bool:
    """Are there no broken bytes in it?"""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
