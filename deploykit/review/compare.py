"""Two sides of an environment against each other: which files differ, where, and what follows from it."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import replace
from typing import Iterator, List, Optional, Sequence, Tuple

from deploykit.review.masking import Line, lines, without
from deploykit.review.model import EnvironmentChange, FileChange, Hunk, Placed, Rendered, Row, Side
from deploykit.secrets import MASK, former_mask

_AROUND = 3  # lines shown before and after a difference
_GONE = Rendered("", "", "", b"", "")


def compare(name: str, before: Side, after: Side, secrets: Sequence[str], known: bool = True) -> EnvironmentChange:
    """What leads from one side to the other, without any of the secrets.

    known: all secrets of the former side are among ``secrets``; if not, they are looked for by what stands beside them.
    """
    problem = without(before.problem or after.problem, secrets)
    if problem:
        return EnvironmentChange(name, notes=_notes(after, secrets), problem=problem)
    judge = _Judge(secrets, known, _marked(before.findings, after.findings, secrets))
    files = tuple(judge.changes(before, after))
    listed = {file.path for file in files}
    return EnvironmentChange(
        name,
        files,
        unchanged=after.unchanged + len(after.files) - sum(file.action != "remove" for file in files),
        grace=after.grace if before.grace is None else before.grace,
        findings=tuple(placed for placed in judge.findings if placed.path not in listed),
        notes=_notes(after, secrets),
    )


class _Judge:
    """Compares file by file; remembers what is secret and what was found."""

    def __init__(self, secrets: Sequence[str], known: bool, findings: Sequence[Placed]) -> None:
        self._secrets = secrets
        self._known = known
        self.findings = findings

    def changes(self, before: Side, after: Side) -> Iterator[FileChange]:
        for path in sorted({*before.files, *after.files, *after.removed}):
            change = self._change(path, before, after)
            if change:
                yield replace(change, findings=tuple(placed for placed in self.findings if placed.path == change.path))

    def _change(self, path: str, before: Side, after: Side) -> Optional[FileChange]:
        old, new = before.files.get(path), after.files.get(path)
        if not old and not new:
            return self._newly_removed(path, before, after)
        action = _action(old, new)
        if not action:
            return None
        one = new or old or _GONE
        change = FileChange(action, without(path, self._secrets), one.service, without(one.template, self._secrets))
        reason = after.removed[path][1] if not new and path in after.removed else ""
        return self._filled(change, old or _GONE, new or _GONE, reason)

    def _newly_removed(self, path: str, before: Side, after: Side) -> Optional[FileChange]:
        if path in before.removed:
            return None
        service, reason = after.removed[path]
        return FileChange("remove", without(path, self._secrets), service, "", remark=without(reason, self._secrets))

    def _filled(self, change: FileChange, old: Rendered, new: Rendered, reason: str) -> FileChange:
        remarks = [reason, old.remark, new.remark]
        hunks: Tuple[Hunk, ...] = ()
        if b"\0" in old.content + new.content:
            remarks.append(f"binary, {len(old.content)} bytes before and {len(new.content)} after")
        elif old.content != new.content:
            hunks = self._hunks(old.content.decode("utf-8", "replace"), new.content.decode("utf-8", "replace"))
            remarks += [] if hunks else ["only the end of the last line differs, or bytes that are no UTF-8"]
        remark = "; ".join(without(text, self._secrets) for text in remarks if text)
        return replace(change, attributes=_attributes(old.attributes, new.attributes), remark=remark, hunks=hunks)

    def _hunks(self, old: str, new: str) -> Tuple[Hunk, ...]:
        former = None if self._known else former_mask(new, self._secrets)
        return hunks(lines(old, self._secrets, former), lines(new, self._secrets))


def hunks(old: Sequence[Line], new: Sequence[Line]) -> Tuple[Hunk, ...]:
    """The differences between two texts, each with three lines around it."""
    matcher = difflib.SequenceMatcher(None, [line.raw for line in old], [line.raw for line in new])
    return tuple(tuple(_rows(group, old, new)) for group in matcher.get_grouped_opcodes(_AROUND))


_Code = Tuple[str, int, int, int, int]


def _rows(group: Sequence[_Code], old: Sequence[Line], new: Sequence[Line]) -> Iterator[Row]:
    for tag, old_start, old_end, new_start, new_end in group:
        if tag == "equal":
            for offset, line in enumerate(old[old_start:old_end], 1):
                yield Row(" ", old_start + offset, new_start + offset, line.text)
            continue
        before, after = old[old_start:old_end], new[new_start:new_end]
        for number, line in enumerate(before, old_start + 1):
            yield Row("-", number, 0, line.text)
        for offset, line in enumerate(after):
            yield Row("+", 0, new_start + offset + 1, line.text, _secret_changed(line, offset, before))


def _secret_changed(line: Line, offset: int, before: Sequence[Line]) -> bool:
    """Did this line hold another secret before: in a line that looks the same, else in the one at its place?"""
    if not line.hidden:
        return False
    alike = [former for former in before if former.text == line.text]
    if alike:
        return all(former.raw != line.raw for former in alike)
    key = line.text.partition(MASK)[0]
    there = [former for former in before[offset : offset + 1] if former.hidden and former.text.partition(MASK)[0] == key]
    return any(former.hidden != line.hidden for former in there)


def _action(old: Optional[Rendered], new: Optional[Rendered]) -> str:
    if old and new:
        return "replace" if old.content != new.content else "attributes" if old.attributes != new.attributes else ""
    return "create" if new else "remove"


def _attributes(old: str, new: str) -> str:
    return f"{old} -> {new}" if old and new and old != new else new if not old else ""


def _notes(side: Side, secrets: Sequence[str]) -> Tuple[str, ...]:
    return tuple(without(note, secrets) for note in side.notes)


def _marked(before: Sequence[Placed], after: Sequence[Placed], secrets: Sequence[str]) -> List[Placed]:
    """The findings of ``after`` without secrets, each with the answer whether it is new. Lines shift, so they do not count."""
    known = Counter(map(_sameness, before))
    marked: List[Placed] = []
    for placed in after:
        known[_sameness(placed)] -= 1
        marked.append(_shown(placed, known[_sameness(placed)] < 0, secrets))
    return marked


def _sameness(placed: Placed) -> Tuple[str, str, str]:
    return placed.finding.rule, placed.path, placed.finding.message


def _shown(placed: Placed, new: bool, secrets: Sequence[str]) -> Placed:
    said = placed.finding
    finding = replace(said, message=without(said.message, secrets), hint=without(said.hint, secrets))
    return Placed(finding, without(placed.path, secrets), placed.line, new)
