"""The review as one HTML page that needs nothing else: no network, no fonts, no other file.

A hunk is a grid of two columns into which its lines are dealt: side by side on a wide page, below each other, which is a
unified view, on a narrow one. Its policy lets nothing run and nothing load but what stands in it.
"""

from __future__ import annotations

from html import escape
from itertools import groupby
from string import Template
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from deploykit.review import words
from deploykit.review.inline import parts
from deploykit.review.model import EnvironmentChange, FileChange, Hunk, Placed, Review, Row
from deploykit.review.visible import visible


def page(review: Review) -> str:
    """The whole page."""
    style, script = _part("page.css"), _part("page.js")
    environments = review.changed
    return Template(_part("page.html")).substitute(
        title=f"Rendered configuration: {_text(words.total(review))}",
        total=_text(words.total(review)),
        against=_text(review.against),
        same=f" No change: <code>{_text(words.unchanged(review))}</code>." if review.same else "",
        notes=_list(f"<li>{_text(note)}</li>" for note in review.notes),
        tabs=_tabs(environments) if len(environments) > 1 else "",
        panels="".join(_panel(number, environment) for number, environment in enumerate(environments)),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _part(name: str) -> str:
    import pkgutil

    return (pkgutil.get_data("deploykit.review", name) or b"").decode("utf-8")


def _hash(text: str) -> str:
    import base64
    import hashlib

    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def _text(text: str) -> str:
    """Somebody else's text: every character visible, none of it markup."""
    return escape(visible(text), quote=True)


def _list(entries: Iterator[str], kind: str = "") -> str:
    inner = "".join(entries)
    return f"<ul{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{inner}</ul>\n" if inner else ""


def _name(environment: EnvironmentChange) -> str:
    return _text(environment.name or words.NO_NAME)


def _tabs(environments: Sequence[EnvironmentChange]) -> str:
    links = []
    for number, environment in enumerate(environments):
        count = "not comparable" if environment.problem else words.counted(len(environment.files), "file")
        name = f'{_name(environment)} <span class="count">{count}</span>'
        links.append(f'<a id="tab-{number}" href="#environment-{number}">{name}</a>')
    return f'<div class="tabs">{"".join(links)}</div>\n'


def _panel(number: int, environment: EnvironmentChange) -> str:
    anchors = _Anchors(number, environment)
    known = words.known_before(environment)
    notes = [note for note in (environment.problem, *environment.notes, known) if note]
    files = "".join(anchors.file(at, file) for at, file in enumerate(environment.files))
    others = [placed for placed in environment.findings if not placed.new]
    return (
        f'<section class="panel" id="environment-{number}" aria-label="{_name(environment)}">\n<h2>{_name(environment)}</h2>\n'
        f"<p>{_text(words.headline(environment))}</p>\n{_list(f'<li>{_text(note)}</li>' for note in notes)}"
        f"{anchors.new_findings()}{files}"
        f"{_elsewhere(others)}</section>\n"
    )


def _elsewhere(findings: Sequence[Placed]) -> str:
    """Findings as before, in files that stay as they are."""
    if not findings:
        return ""
    entries = (f"<li>{_finding(placed)}</li>" for placed in findings)
    return f'<h3 class="heading">As before, in files that do not change</h3>\n{_list(entries, "finding-list")}'


class _Anchors:
    """The files of one environment, with places that its list of findings can point to."""

    def __init__(self, number: int, environment: EnvironmentChange) -> None:
        self._number = number
        self._environment = environment

    def new_findings(self) -> str:
        """What the change brings, each with a link to its line where that is shown."""
        entries: List[str] = []
        for at, file in enumerate(self._environment.files):
            entries += [self._entry(placed, f"#{self._id(at, n)}") for n, placed in enumerate(file.findings) if placed.new]
        entries += [self._entry(placed, "") for placed in self._environment.findings if placed.new]
        if not entries:
            return ""
        heading = words.counted(len(entries), "finding")
        return f'<h3 class="heading">{heading} that the change brings</h3>\n{_list(iter(entries), "finding-list")}'

    def file(self, at: int, file: FileChange) -> str:
        """One file: what happens to it, findings without a line to stand beside, and the difference."""
        shown = {row.new for row in file.rows if row.new}
        beside: Dict[int, List[str]] = {}
        above: List[str] = []
        for number, placed in enumerate(file.findings):
            body = _finding(placed, new=placed.new)
            if placed.line in shown:
                beside.setdefault(placed.line, []).append(f'<span class="finding" id="{self._id(at, number)}">{body}</span>')
            else:
                above.append(f'<li id="{self._id(at, number)}">{body}</li>')
        hunks = "".join(_hunk(hunk, beside) for hunk in file.hunks)
        return f'<details class="file" open>{_summary(file)}{_list(iter(above), "finding-list")}{hunks}</details>\n'

    def _id(self, at: int, number: int) -> str:
        return f"finding-{self._number}-{at}-{number}"

    def _entry(self, placed: Placed, link: str) -> str:
        return f"<li>{_finding(placed, link=link)}</li>"


def _summary(file: FileChange) -> str:
    size = words.size(file)
    said = f'<span class="size">{_text(size)}</span>' if size else ""
    template = f'<span class="from">from <code>{_text(file.template)}</code></span>' if file.template else ""
    verb = f'<span class="verb">{words.VERBS[file.action]}</span>'
    return f"<summary>{verb} <h3><code>{_text(file.path)}</code></h3>{said}{template}</summary>\n"


def _finding(placed: Placed, new: bool = False, link: str = "") -> str:
    said = placed.finding
    hint = f'<span class="hint">hint: {_text(said.hint)}</span>' if said.hint else ""
    place = f"<code>{_text(str(said.at) if said.at else placed.path)}</code>"
    place = f'<a href="{link}">{place}</a>' if link else place
    word = f'<span class="severity {_text(said.severity)}">{"new " if new else ""}{_text(said.severity)}</span>'
    return f"{word} {place} {_text(said.message)} <code>[{_text(said.rule)}]</code>{hint}"


def _hunk(hunk: Hunk, beside: Dict[int, List[str]]) -> str:
    one = len({row.sign for row in hunk}) == 1
    return f'<div class="hunk{" one" if one else ""}">{"".join(_blocks(hunk, beside))}</div>\n'


def _blocks(hunk: Hunk, beside: Dict[int, List[str]]) -> Iterator[str]:
    """Lines that stay and lines that change by turns: each block is a grid of its own, so that what follows is level again."""
    marked = parts(hunk)
    for _, block in groupby(enumerate(hunk), lambda numbered: numbered[1].sign == " "):
        lines = "".join(_line(row, _marked(row, marked.get(number)), beside) for number, row in block)
        yield f'<div class="block">{lines}</div>'


def _line(row: Row, text: str, beside: Dict[int, List[str]]) -> str:
    """One line; one that stays has a twin on the left, which a narrow page and a screen reader leave out."""
    if row.sign == "-":
        return f'<del class="row left">{_cells(row.old, "-", text)}</del>'
    findings = "".join(beside.get(row.new, ()))
    if row.sign == "+":
        return f'<ins class="row right">{_cells(row.new, "+", text)}{findings}</ins>'
    twin = f'<div class="row left twin" aria-hidden="true">{_cells(row.old, "", text)}</div>'
    return f'{twin}<div class="row right">{_cells(row.new, "", text)}{findings}</div>'


def _cells(number: int, sign: str, text: str) -> str:
    return f'<span class="number">{number}</span><span class="sign">{sign}</span><code>{text}</code>'


def _marked(row: Row, part: Optional[Tuple[int, int]]) -> str:
    """The text of a line, the part that differs from its counterpart marked."""
    secret = f'<span class="secret">{words.SECRET}</span>' if row.secret else ""
    if not part:
        return _text(row.text) + secret
    start, end = part
    return f"{_text(row.text[:start])}<mark>{_text(row.text[start:end])}</mark>{_text(row.text[end:])}{secret}"
