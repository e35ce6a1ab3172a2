"""Directives of nginx whose value is one number, size, time or word, read as nginx reads it."""

from __future__ import annotations

import re
from typing import Callable, Iterator, Optional, Sequence, Tuple

from deploykit.rules.nginx_kinds import BUFFERS, FLAGS, MILLISECONDS, NUMBERS, OFFSETS, SECONDS, SIZES

Words = Tuple[str, ...]
Said = Optional[str]
Check = Callable[[Words], Said]

_SIZE = re.compile(r"(\d+)([kKmM]?)\Z", re.ASCII)
_OFFSET = re.compile(r"\d+[kKmMgG]?\Z", re.ASCII)
_SHORT = r"(?:\d+w *)?(?:\d+d *)?(?:\d+h *)?(?:\d+m(?!s) *)?(?:\d+s? *)?"
_TIME = re.compile(rf"(?=\d)(?:\d+y *)?(?:\d+M *)?{_SHORT}\Z", re.ASCII)
_FINE_TIME = re.compile(rf"(?=\d){_SHORT}(?:\d+ms *)?\Z", re.ASCII)
_TIED = {"k": 1024, "m": 1024 * 1024, "": 1}


def checks() -> Iterator[Tuple[Sequence[str], Check]]:
    """Names of directives and the function that says what is wrong with their words, None for nothing."""
    yield tuple(SIZES), size
    yield tuple(OFFSETS), offset
    yield tuple(MILLISECONDS), _time
    yield tuple(SECONDS), seconds
    yield tuple(NUMBERS), number
    yield tuple(BUFFERS), _buffers
    yield tuple(FLAGS), _on_off
    yield ("gzip_comp_level",), _within(1, 9)
    yield ("limit_req_status", "limit_conn_status"), _within(400, 599)
    yield ("worker_connections",), number
    yield ("worker_processes",), _or("auto", otherwise=_within(1, 100000))
    yield ("keepalive_timeout",), _timeouts
    yield ("limit_rate", "limit_rate_after"), _or("0", otherwise=offset)


def bytes_of(text: str) -> Optional[int]:
    """The bytes of a size, None where it is none."""
    match = _SIZE.match(text)
    return int(match.group(1)) * _TIED[match.group(2).lower()] if match else None


def size(words: Words) -> Said:
    """Bytes with k or m."""
    return None if _SIZE.match(words[0]) else f"'{words[0]}' is no size"


def offset(words: Words) -> Said:
    """Bytes with k, m or g."""
    return None if _OFFSET.match(words[0]) else f"'{words[0]}' is no size"


def _time(words: Words) -> Said:
    return None if _FINE_TIME.match(words[0]) else f"'{words[0]}' is no time"


def seconds(words: Words) -> Said:
    """A time without ms."""
    return None if _TIME.match(words[0]) else f"'{words[0]}' is no time in seconds or longer"


def number(words: Words) -> Said:
    return None if words[0].isascii() and words[0].isdigit() else f"'{words[0]}' is no whole number"


def _buffers(words: Words) -> Said:
    if len(words) != 2:
        return None
    return number(words[:1]) or ("there must be at least one" if int(words[0]) < 1 else None) or size(words[1:])


def _on_off(words: Words) -> Said:
    return None if words[0].lower() in ("on", "off") else f"'{words[0]}' is neither on nor off"


def one_of(*known: str) -> Check:
    """One of these words; nginx does not look at the case."""

    def check(words: Words) -> Said:
        return None if words[0].lower() in known else f"'{words[0]}' is none of {', '.join(known)}"

    return check


def all_of(*known: str) -> Check:
    """Every word is one of these; nginx does not look at the case."""
    lower = {word.lower() for word in known}

    def check(words: Words) -> Said:
        strange = next((word for word in words if word.lower() not in lower), None)
        return None if strange is None else f"'{strange}' is none of {', '.join(known)}"

    return check


def _within(low: int, high: int) -> Check:
    def check(words: Words) -> Said:
        return number(words) or (None if low <= int(words[0]) <= high else f"{words[0]} is not within {low} and {high}")

    return check


def _or(*allowed: str, otherwise: Check) -> Check:
    def check(words: Words) -> Said:
        return None if words[0] in allowed or "$" in words[0] else otherwise(words)

    return check


def _timeouts(words: Words) -> Said:
    return next(filter(None, (_time((word,)) for word in words)), None)
