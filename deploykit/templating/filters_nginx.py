"""Filters that write values the way nginx reads them back."""

from __future__ import annotations

import re
from typing import Callable, Dict

from deploykit.templating.values import FilterError, size_of, text_of, truth_of

# nginx reads its files through a buffer of 4096 bytes, and one argument has to fit in, quotes and all
_LONGEST = 4000
# y and M are left out: nginx takes them only where it counts in whole seconds, and M is too easily meant as minutes
_UNITS = ("w", "d", "h", "m", "s", "ms")
_TIME_PART = re.compile(r"(\d+)(ms|[wdhms]|$)", re.ASCII)


def nginx_quote(value: object, allow_variables: bool = False) -> str:
    """``nginx_quote``: in double quotes, so that nginx reads exactly this text. ``$`` cannot be written in
    nginx and is refused, unless ``allow_variables=true`` says that ``$name`` is meant as nginx's variable.
    """
    text = text_of(value, "nginx_quote")
    if "$" in text and not allow_variables:
        raise FilterError(
            f"nginx_quote: the value holds a $ (character {text.index('$') + 1}), which nginx takes for a variable",
            'in http {} write: geo $dollar { default "$"; }, in the value ${dollar}, and nginx_quote(allow_variables=true)',
        )
    if "\0" in text:
        raise FilterError("nginx_quote: nginx cannot hold a NUL character")
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if len(quoted.encode()) > _LONGEST:
        raise FilterError(f"nginx_quote: the value is longer than the {_LONGEST} bytes that nginx takes in one argument")
    return quoted


def nginx_onoff(value: object) -> str:
    """``nginx_onoff``: ``on`` or ``off`` of true/false (or yes, no, on, off, 1, 0)."""
    return "on" if truth_of(value, "nginx_onoff") else "off"


def nginx_size(value: object) -> str:
    """``nginx_size``: bytes, or a number with k or m. Gigabytes become megabytes: many directives know no g."""
    number, unit = size_of(value, "nginx_size")
    if unit == "G":
        return f"{number * 1024}m"
    return f"{number}{unit.lower()}"


def nginx_time(value: object) -> str:
    """``nginx_time``: seconds as a number, or nginx's own ``1m30s`` ``500ms`` (w d h m s ms, largest first)."""
    text = text_of(value, "nginx_time").replace(" ", "")
    parts = _TIME_PART.findall(text)
    units = [unit or "s" for _, unit in parts]
    ranks = [_UNITS.index(unit) for unit in units]
    whole = "".join(number + unit for number, unit in parts) == text
    if not parts or not whole or ranks != sorted(set(ranks)):
        hint = 'write seconds, or whole numbers with units, largest first, such as "1m30s" or "500ms"'
        raise FilterError(f'"{text}" is no time for nginx', hint)
    return "".join(number + unit for (number, _), unit in zip(parts, units))


FILTERS: Dict[str, Callable[..., object]] = {
    "nginx_onoff": nginx_onoff,
    "nginx_quote": nginx_quote,
    "nginx_size": nginx_size,
    "nginx_time": nginx_time,
}
