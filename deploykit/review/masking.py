"""Texts without what is secret, and still able to tell whether it has changed."""

from __future__ import annotations

from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from deploykit.secrets import MASK


class Line(NamedTuple):
    """One line: as it is, and as it may be shown. hidden: what was taken out of it by value, in order."""

    raw: str
    text: str
    hidden: Tuple[str, ...] = ()


def lines(text: str, secrets: Sequence[str], former: Optional[Callable[[str], str]] = None) -> List[Line]:
    """The lines of a text, at line feeds alone, without any of these secrets, also where two of them overlap.

    A secret of several lines is hidden in each of them, so that the lines keep their numbers. former: takes out of a line
    the secrets that nobody knows any more.
    """
    spans = _merged(text, [secret for secret in secrets if secret in text])
    found = [Line(raw, "".join(shown), tuple(out)) for raw, (shown, out) in zip(text.split("\n"), _split(text, spans))]
    if former:
        found = [line if line.hidden else line._replace(text=former(line.raw)) for line in found]
    return found if found[-1].raw else found[:-1]


def without(text: str, secrets: Sequence[str]) -> str:
    """A text without secrets, to be shown alone."""
    return "\n".join(line.text for line in lines(text, secrets))


def _merged(text: str, secrets: Sequence[str]) -> List[Tuple[int, int]]:
    """Where secrets stand: sorted, without overlaps."""
    spans: List[Tuple[int, int]] = []
    for start, end in sorted(_spans(text, secrets)):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _spans(text: str, secrets: Sequence[str]) -> Iterator[Tuple[int, int]]:
    for secret in secrets:
        at = text.find(secret)
        while at >= 0:
            yield at, at + len(secret)
            at = text.find(secret, at + 1)


def _split(text: str, spans: Sequence[Tuple[int, int]]) -> List[Tuple[List[str], List[str]]]:
    """For each line the parts to show and the parts that are hidden."""
    found: List[Tuple[List[str], List[str]]] = [([], [])]
    here = 0
    for start, end in (*spans, (len(text), len(text))):
        for number, part in enumerate(text[here:start].split("\n")):
            if number:
                found.append(([], []))
            found[-1][0].append(part)
        for number, part in enumerate(text[start:end].split("\n") if start < end else ()):
            if number:
                found.append(([], []))
            if part:
                found[-1][0].append(MASK)
                found[-1][1].append(part)
        here = end
    return found
