"""The review for a terminal."""

from __future__ import annotations

from typing import Iterator, Tuple

from deploykit.review import words
from deploykit.review.model import EnvironmentChange, FileChange, Review
from deploykit.review.visible import visible

Line = Tuple[str, str]  # text, colour
_COLOURS = {"+": "green", "-": "red", "@": "blue"}


def lines(review: Review) -> Iterator[Line]:
    """Every line with its colour."""
    yield f"compared with {visible(review.against)}", "dim"
    for note in review.notes:
        yield f"note: {visible(note)}", "dim"
    for environment in review.changed:
        yield "", ""
        yield from _environment(environment)
    if review.same:
        yield "", ""
        yield f"no change: {visible(words.unchanged(review))}", "green"
    if len(review.environments) > 1 or review.changed:
        yield words.total(review), "bold"


def _environment(environment: EnvironmentChange) -> Iterator[Line]:
    yield f"{visible(environment.name) or words.NO_NAME}: {words.headline(environment)}", "bold"
    for note in (environment.problem, *environment.notes):
        if note:
            yield f"  {visible(note)}", "yellow"
    for file in environment.files:
        yield from _file(file)
    for placed in environment.new_findings:
        yield f"  {visible(words.finding(placed))}", "red" if placed.finding.severity == "error" else "yellow"
        if placed.finding.hint:
            yield f"    hint: {visible(placed.finding.hint)}", "dim"
    if words.known_before(environment):
        yield f"  {words.known_before(environment)}: deploykit check tells them", "dim"


def _file(file: FileChange) -> Iterator[Line]:
    size = words.size(file)
    template = f"  {visible(file.template)}" if file.template else ""
    yield f"  {words.VERBS[file.action]} {visible(file.path)}{f'  ({visible(size)})' if size else ''}{template}", "bold"
    for line in words.unified(file):
        yield f"    {line[:1]}{visible(line[1:])}", _COLOURS.get(line[:1], "")
