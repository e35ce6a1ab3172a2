"""What php-fpm refuses only when it has read everything: values that are in effect and out of range.

Whether directives fit together (who is missing, which numbers agree) is a matter for the rules, not for the parser.
"""

from __future__ import annotations

import re
from typing import Callable, List, Optional, Tuple

from deploykit.parsers.ini_tokens import to_int
from deploykit.parsers.php_fpm_tree import Pool, Section
from deploykit.parsers.problem import Problem, printable

Check = Callable[[str], str]

MECHANISMS = ("epoll", "poll", "select", "kqueue", "port", "/dev/poll")
_PATH = re.compile(r"[A-Za-z0-9/_.~-]*\Z")
_TOKEN = re.compile(r"%(?:\{([^}]*)\})?([^{])|%\{")
_PLAIN_TOKENS = "%flmnpPqQrRsu"
_UNITS = {
    "C": ("", "user", "system", "total"),
    "d": ("", "seconds", "miliseconds", "milliseconds", "mili", "milli", "microseconds", "micro"),
    "M": ("", "bytes", "kilobytes", "kilo", "megabytes", "mega"),
}


def refused_later(general: Section, pools: Tuple[Pool, ...]) -> Tuple[Problem, ...]:
    """A problem ``fpm-bad-value`` for each value in effect that php-fpm refuses after reading."""
    found: List[Optional[Problem]] = [_checked(general, key, check) for key, check in GENERAL]
    for pool in pools:
        found.extend(_checked(pool, key, check) for key, check in POOLS)
        if pool.text("access.log"):
            found.append(_checked(pool, "access.format", access_format))
    return tuple(problem for problem in found if problem)


def _checked(section: Section, key: str, check: Check) -> Optional[Problem]:
    entry = section.entry(key)
    reason = check(entry.value) if entry else ""
    if entry is None or not reason:
        return None
    return Problem("fpm-bad-value", "error", printable(f"{key} = {entry.value!r} {reason}"), entry.at)


def priority(value: str) -> str:
    return _out_of_range(value, -19, 20)


def log_limit(value: str) -> str:
    return _out_of_range(value, 512, 2**31)


def not_negative(value: str) -> str:
    return _out_of_range(value, 0, 2**31)


def mechanism(value: str) -> str:
    return "" if value.lower() in MECHANISMS else "is none of " + ", ".join(MECHANISMS[:3])


def url_path(value: str) -> str:
    """For the status and the ping page; an empty one switches the page off."""
    if value and (len(value) < 2 or value[0] != "/"):
        return "is no path: '/' and at least one character"
    return "" if _PATH.match(value) else "holds other characters than letters, digits and / - _ . ~"


def access_format(value: str) -> str:
    """Every ``%`` begins a token that php-fpm knows, with what may stand in its braces."""
    for match in _TOKEN.finditer(value):
        braces, token = match.group(1) or "", match.group(2) or "{"
        units = _UNITS.get(token)
        if units and braces not in units:
            return f"holds {match.group()!r}: the unit is none of {', '.join(units[1:])}"
        if token in "eo" and not braces:
            return f"holds {match.group()!r} without a name, as in %{{NAME}}{token}"
        if not units and token not in "eotT" and (braces or token not in _PLAIN_TOKENS):
            return f"holds {match.group()!r}, which is no token"
    return ""


def _out_of_range(value: str, low: int, high: int) -> str:
    return "" if low <= to_int(value) <= high else f"is not between {low} and {high}"


GENERAL: Tuple[Tuple[str, Check], ...] = (
    ("process.priority", priority),
    ("log_limit", log_limit),
    ("process.max", not_negative),
    ("events.mechanism", mechanism),
)
POOLS: Tuple[Tuple[str, Check], ...] = (
    ("process.priority", priority),
    ("pm.status_path", url_path),
    ("ping.path", url_path),
)
