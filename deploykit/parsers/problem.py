"""What a parser found wrong: it never raises for what is in a file, it goes on and tells everything."""

from __future__ import annotations

from dataclasses import dataclass

from deploykit.errors import Location


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file.

    kind: the id of the rule that reports it (``fpm-syntax``, ``nginx-include-missing``). severity: ``error`` or
    ``warning``, as the service itself takes it. hint: what to write instead, ``""`` where that is not clear.
    """

    kind: str
    severity: str
    message: str
    at: Location
    hint: str = ""


@dataclass(frozen=True)
class Include:
    """One ``include`` and the files that it took in, in their order. pattern is absolute."""

    pattern: str
    files: tuple[str, ...]
    at: Location


def printable(text: str) -> str:
    """``text`` so that every terminal and log takes it: what cannot be shown becomes a question mark."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def nearest(name: str, known: list[str]) -> str:
    """A hint that offers the name which was perhaps meant, ``""`` when none is near."""
    import difflib

    near = difflib.get_close_matches(name.lower(), known, 1, 0.75)
    return f"did you mean '{near[0]}'?" if near else ""
