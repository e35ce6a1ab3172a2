"""The review as one note of a merge request.

Whatever a template or a variable says stands in code: there GitLab follows no reference, mentions nobody and obeys no
quick action.
"""

from __future__ import annotations

import re
from functools import partial
from html import escape
from typing import Callable, Iterator, List, NamedTuple, Sequence

from deploykit.review import words
from deploykit.review.model import EnvironmentChange, FileChange, Review
from deploykit.review.visible import shortened, visible

LONGEST = 60_000  # characters; a note may have more, but nobody would read on
_ENVIRONMENTS = 90
_NAME, _SAID = 200, 500  # characters of a path, of a message
_ROOM = 400  # for what is said at the end


class _Part(NamedTuple):
    """Some Markdown, and how much was left out of it."""

    text: str
    lines: int = 0
    files: int = 0
    findings: int = 0


_Write = Callable[[int], _Part]  # writes something into at most so many characters


def note(review: Review, whole: str = "") -> str:
    """The whole note, with a marker in its first line by which a job finds it again. At most 60,000 characters.

    whole: address where all of it can be seen, if something has to be left out.
    """
    notes = "".join(f"- {_code(note)}\n" for note in review.notes[:10])
    head = f"{words.MARKER}\n### Rendered configuration: {words.total(review)}\n\nCompared with {_code(review.against)}.\n\n"
    head += f"{notes}\n" if notes else ""
    same = f"No change: {_code(words.unchanged(review), 5 * _NAME)}\n\n" if review.same else ""
    shown = review.changed[:_ENVIRONMENTS]
    part = _sharing([partial(_environment, environment) for environment in shown], LONGEST - len(head + same) - _ROOM)
    return head + part.text + same + _left_out(part, len(review.changed) - len(shown), whole[: _ROOM // 2])


def _left_out(part: _Part, environments: int, whole: str) -> str:
    counts = ((environments, "environment"), (part.files, "file"), (part.lines, "line"), (part.findings, "finding"))
    said = [words.counted(number, noun) for number, noun in counts if number]
    if not said:
        return ""
    all_of_it = f"[All of it]({whole})" if whole else "All of it"
    return f"**Truncated:** {', '.join(said)} left out here. {all_of_it} is in the job's artifacts.\n"


def _sharing(pieces: Sequence[_Write], room: int) -> _Part:
    """Each gets an equal share of what is left, so that one long difference does not hide the others."""
    parts: List[_Part] = []
    for number, write in enumerate(pieces):
        part = write(max(room // (len(pieces) - number), 0))
        room -= len(part.text)
        parts.append(part)
    return _joined(parts)


def _joined(parts: Sequence[_Part]) -> _Part:
    return _Part(
        "".join(part.text for part in parts),
        sum(part.lines for part in parts),
        sum(part.files for part in parts),
        sum(part.findings for part in parts),
    )


def _environment(environment: EnvironmentChange, room: int) -> _Part:
    name = escape(shortened(environment.name or words.NO_NAME, _NAME))
    head = f"<details><summary><code>{name}</code>: {words.headline(environment)}</summary>\n\n"
    tail = "</details>\n\n"
    room -= len(head) + len(tail)
    if room < 0:
        return _Part("", files=len(environment.files))
    said = _remarks(environment, room // 2)
    files = _sharing([partial(_file, file) for file in environment.files], room - len(said.text))
    inner = _joined([said, files])
    return inner._replace(text=head + inner.text + tail)


def _remarks(environment: EnvironmentChange, room: int) -> _Part:
    text, left_out = "", 0
    for line in _remark_lines(environment):
        if len(text) + len(line) + 1 > room:
            left_out += 1
        else:
            text += line
    return _Part(f"{text}\n" if text else "", findings=left_out)


def _remark_lines(environment: EnvironmentChange) -> Iterator[str]:
    for note in (environment.problem, *environment.notes):
        if note:
            yield f"- {_code(note, _SAID)}\n"
    for placed in environment.new_findings:
        hint = f" {_code(placed.finding.hint, _SAID)}" if placed.finding.hint else ""
        yield f"- new {_code(words.finding(placed), _SAID)}{hint}\n"
    if words.known_before(environment):
        yield f"- {words.known_before(environment)}\n"


def _file(file: FileChange, room: int) -> _Part:
    """Title and difference of one file; where there is too little room the difference ends early, or nothing is said."""
    size, template = words.size(file), f" from {_code(file.template, _NAME)}" if file.template else ""
    title = f"**{words.VERBS[file.action]}** {_code(file.path, _NAME)}{f' {_code(size, _NAME)}' if size else ''}{template}\n\n"
    lines = [f"{line[:1]}{visible(line[1:])}\n" for line in words.unified(file)]
    if len(title) > room:
        return _Part("", files=1)
    fence = "`" * max(3, 1 + _longest_run("".join(lines)))
    fitting = _fitting(lines, room - len(title) - 2 * len(fence) - len("diff\n\n\n"))
    if not fitting:
        return _Part(title, lines=len(lines))
    text = "".join(lines[:fitting])
    return _Part(f"{title}{fence}diff\n{text}{fence}\n\n", lines=len(lines) - fitting)


def _fitting(lines: Sequence[str], room: int) -> int:
    """How many of the lines there is room for."""
    for number, line in enumerate(lines):
        room -= len(line)
        if room < 0:
            return number
    return len(lines)


def _code(text: str, longest: int = _SAID) -> str:
    """A text as code, on one line, whatever is in it."""
    shown = shortened(text, longest).replace("\t", " ").strip() or "-"
    fence = "`" * (1 + _longest_run(shown))
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
