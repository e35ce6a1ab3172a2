"""The values that nginx's directives take."""

from __future__ import annotations

from typing import Dict, Tuple

from deploykit.rules import nginx_phrases, nginx_simple
from deploykit.rules.nginx_kinds import OFFSETS
from deploykit.rules.nginx_simple import Check, Words

_SIZE_HINT = "a size is a whole number, and perhaps k or m behind it"
_TIME_HINT = "a time is a whole number and a unit: ms s m h d w"


def wrong(name: str, words: Words) -> Tuple[str, str]:
    """What is wrong with the words behind a directive, and a hint; two empty texts when nothing is known to be."""
    check = _CHECKS.get(name)
    said = check(words) if check and words else None
    return (said, _hint(name, said)) if said else ("", "")


def _hint(name: str, said: str) -> str:
    if "is no size" in said:
        return _SIZE_HINT if name not in OFFSETS else "a size is a whole number, and perhaps k, m or g behind it"
    if "is no time in seconds" in said:
        return "a time is a whole number and a unit: s m h d w M y"
    return _TIME_HINT if "is no time" in said else ""


_CHECKS: Dict[str, Check] = {
    name: check for names, check in (*nginx_simple.checks(), *nginx_phrases.checks()) for name in names
}
