"""Which part of a line differs from its counterpart on the other side."""

from __future__ import annotations

from typing import Dict, Iterator, List, Sequence, Tuple

from deploykit.review.model import Row

Part = Tuple[int, int]  # from this character to before that one
_ALIKE = 0.3  # of a line must be the same, else it is another line


def parts(rows: Sequence[Row]) -> Dict[int, Part]:
    """For rows (by their number in the hunk) that replace another: the part that is different."""
    found: Dict[int, Part] = {}
    for old, new in _pairs(rows):
        before, after = rows[old].text, rows[new].text
        start = _same(before, after)
        end = _same(before[start:][::-1], after[start:][::-1])
        longest = max(len(before), len(after))
        if longest and _ALIKE <= (start + end) / longest < 1:
            found[old], found[new] = (start, len(before) - end), (start, len(after) - end)
    return {number: part for number, part in found.items() if part[0] < part[1]}


def _same(one: str, other: str) -> int:
    """How many characters they have in common from the start."""
    shorter = min(len(one), len(other))
    return next((number for number in range(shorter) if one[number] != other[number]), shorter)


def _pairs(rows: Sequence[Row]) -> Iterator[Tuple[int, int]]:
    """Removed and added lines of each block, the first with the first."""
    old: List[int] = []
    new: List[int] = []
    for number, row in enumerate(rows):
        if row.sign == "-" and not new:
            old.append(number)
        elif row.sign == "+":
            new.append(number)
        else:
            yield from zip(old, new)
            old, new = [number] if row.sign == "-" else [], []
    yield from zip(old, new)
