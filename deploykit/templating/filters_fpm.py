"""Filters that write values the way php-fpm reads them back."""

from __future__ import annotations

import re
from typing import Callable, Dict

from deploykit.templating.values import FilterError, size_of, text_of, truth_of

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)
_LONGEST_TIME = 2**31 - 1  # php-fpm keeps times in 32 bits and wraps silently
_MODE = re.compile(r"(?:0o?)?([0-7]{3})", re.ASCII)


def fpm_quote(value: object, env: bool = False) -> str:
    """``fpm_quote``: in double quotes, so that php-fpm reads exactly this text.

    Refused, as no quoting can write it: a line break, ``$pool``, and with ``env=true`` (for ``env[NAME]``) an
    empty text or one that begins with ``$``.
    """
    text = text_of(value, "fpm_quote")
    why = _unwritable(text, env)
    if why:
        raise FilterError(
            f"fpm_quote: {why}", "choose another value, or write it with b64encode and let the application decode it"
        )
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${") + '"'


def _unwritable(text: str, env: bool) -> str:
    """Why no quoting makes php-fpm read this text, ``""`` when one does."""
    if any(character in text for character in "\n\r\0"):
        return "php-fpm reads line by line, so a value cannot hold a line break"
    if "$pool" in text:
        return "php-fpm writes the pool's name for $pool, in any quoting"
    if env and not text:
        return "php-fpm refuses an empty env value"
    if env and text.startswith("$"):
        return "an env value that begins with $ is taken for a variable of php-fpm's own environment"
    return ""


def fpm_bool(value: object) -> str:
    """``fpm_bool``: ``yes`` or ``no`` of true/false (or yes, no, on, off, 1, 0)."""
    return "yes" if truth_of(value, "fpm_bool") else "no"


def fpm_size(value: object) -> str:
    """``fpm_size``: a size of php.ini: bytes, or a number with K, M or G; -1 is no limit. ``10MB`` becomes ``10M``."""
    if text_of(value, "fpm_size").strip() == "-1":
        return "-1"
    number, unit = size_of(value, "fpm_size")
    return f"{number}{unit}"


def fpm_time(value: object) -> str:
    """``fpm_time``: seconds as a number, or one unit of s m h d. Several units become seconds: ``1m30s`` is ``90s``."""
    text = text_of(value, "fpm_time").replace(" ", "")
    match = _TIME.fullmatch(text)
    if not match or not text:
        raise FilterError(f'"{text}" is no time for php-fpm', 'write seconds, or whole numbers with s, m, h, d such as "90s"')
    numbers = {unit: int(number) for unit, number in zip(_SECONDS, match.groups()) if number is not None}
    total = sum(number * _SECONDS[unit] for unit, number in numbers.items())
    if total > _LONGEST_TIME:
        raise FilterError(f'"{text}" is longer than php-fpm can hold ({_LONGEST_TIME} seconds)')
    if len(numbers) == 1:
        unit, number = next(iter(numbers.items()))
        return f"{number}{unit}"
    return f"{total}s"


def octal(value: object) -> str:
    """``octal``: four octal digits of a mode, ``"0660"``.

    A number counts as a number (0o660 is 432), so 660 is refused, and 400, which might be meant digit by digit, too.
    A text counts digit by digit, so ``"432"`` is refused: it is a number that lost its octal form.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        digits, other = f"{value:o}", str(value)
    else:
        match = _MODE.fullmatch(text_of(value, "octal").strip())
        digits, other = match[1] if match else "", ""
    if not _likely(digits) or (other and _likely(other)):
        raise FilterError("octal: this is not clearly a mode", 'write the mode in quotes, as in "0660"')
    return f"0{digits:0>3}"


def _likely(digits: str) -> bool:
    """Do these octal digits make sense as a mode? The owner reads, the group can do no more, and others no more than it."""
    if not re.fullmatch(r"[0-7]{1,3}", digits):
        return False
    owner, group, others = (int(digit) for digit in digits.zfill(3))
    return owner & 4 != 0 and owner != 5 and group & ~owner == 0 and others & ~group == 0


FILTERS: Dict[str, Callable[..., object]] = {
    "fpm_bool": fpm_bool,
    "fpm_quote": fpm_quote,
    "fpm_size": fpm_size,
    "fpm_time": fpm_time,
    "octal": octal,
}
