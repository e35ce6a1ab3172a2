"""nginx's regular expressions (PCRE): does one compile, and, as Python's, what does it match?"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List, Optional, Tuple

_GROUP = re.compile(r"\(\?(?:[:=!>|#&(R]|<[=!]|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*'|P[=>]|\^?[imsxnJU-]*[:)]|[+-]?\d+\)|C)")
_COUNT = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
_POSSESSIVE = re.compile(r"(\\.|[^\\])([*+?}])\+", re.DOTALL)
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
    "space": r"\s",
    "word": r"\w",
    "punct": r"!-/:-@\[-`{-~",
}


@lru_cache(maxsize=2048)
def compiled(pattern: str, ignore_case: bool = False) -> Optional[re.Pattern[str]]:
    """The expression as Python's; None where Python has no such thing or it does not compile."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(_translated(pattern), re.IGNORECASE if ignore_case else 0)
        except (re.error, Warning, OverflowError, RecursionError):
            return None


def _translated(pattern: str) -> str:
    text = re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", pattern)
    text = re.sub(r"\(\?'(\w+)'", r"(?P<\1>", text).replace("(?>", "(?:")
    text = re.sub(r"\[:(\w+):\]", lambda match: _CLASSES.get(match.group(1), match.group()), text)
    text = text.replace("\\h", "[ \\t]").replace("\\z", "\\Z")
    return _POSSESSIVE.sub(r"\1\2", text)


@lru_cache(maxsize=2048)
def fault(pattern: str) -> str:
    """Why PCRE refuses the expression, ``""`` when it is not known to. What is exotic passes."""
    return _Reading(pattern).fault()


class _Reading:
    """Goes through one expression from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.open = 0
        self.repeatable = False

    def fault(self) -> str:
        while self.at < len(self.pattern):
            said = self._next(self.pattern[self.at])
            if said:
                return said
        return "a ')' is missing" if self.open else ""

    def _next(self, char: str) -> str:
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._set()
        if char == "(":
            return self._group()
        if char == ")":
            return self._end()
        if char in "*+?" or (char == "{" and self._is_count()):
            return self._quantifier(char)
        self.at += 1
        self.repeatable = char != "|"
        return ""

    def _escape(self) -> str:
        following = self.pattern[self.at + 1 : self.at + 2]
        if not following:
            return "it ends with a single backslash"
        end = self.pattern.find("\\E", self.at) if following == "Q" else -1
        self.at = end + 2 if end >= 0 else len(self.pattern) if following == "Q" else self.at + 2
        self.repeatable = True
        return ""

    def _set(self) -> str:
        end = self.at + 1
        end += self.pattern[end : end + 1] == "^"
        end += self.pattern[end : end + 1] == "]"
        while end < len(self.pattern) and self.pattern[end] != "]":
            named = re.compile(r"\[[:.=]\w*[:.=]\]").match(self.pattern, end)
            end = named.end() if named else end + (2 if self.pattern[end] == "\\" else 1)
        if end >= len(self.pattern):
            return "a ']' is missing"
        inside = self.pattern[self.at + 1 : end]
        if re.fullmatch(r":\^?\w+:", inside):
            return f"'[{inside}]' must stand within brackets of its own"
        for low, high in re.findall(r"(?<![\\-])([a-zA-Z0-9])-([a-zA-Z0-9])", inside):
            if low > high:
                return f"the range {low}-{high} is out of order"
        self.at, self.repeatable = end + 1, True
        return ""

    def _group(self) -> str:
        following = self.pattern[self.at + 1 : self.at + 2]
        match = _GROUP.match(self.pattern, self.at)
        if following == "?" and not match:
            return f"'{self.pattern[self.at : self.at + 4]}' begins no group that there is"
        if following == "*":
            self.at = max(self.pattern.find(")", self.at) + 1, self.at + 1)
            return ""
        whole = match is not None and match.group().endswith(")")
        self.at = match.end() if match else self.at + 1
        self.open += not whole
        self.repeatable = False
        return ""

    def _end(self) -> str:
        if not self.open:
            return "there is a ')' too many"
        self.open -= 1
        self.at += 1
        self.repeatable = True
        return ""

    def _is_count(self) -> bool:
        match = _COUNT.match(self.pattern, self.at)
        return bool(match and match.group(1))

    def _quantifier(self, char: str) -> str:
        if not self.repeatable:
            return f"nothing stands before '{char}' that could be repeated"
        match = _COUNT.match(self.pattern, self.at)
        if match and match.group(3) and int(match.group(1)) > int(match.group(3)):
            return f"the numbers in {match.group()} are out of order"
        self.at = match.end() if match else self.at + 1
        self.at += self.pattern[self.at : self.at + 1] in ("+", "?") and self.at < len(self.pattern)
        self.repeatable = False
        return ""


@lru_cache(maxsize=2048)
def captures(pattern: str) -> Tuple[Tuple[str, str], ...]:
    """Name (``""`` for none) and inner text of each capturing group, in the order of their numbers."""
    found: List[Tuple[int, str, str]] = []
    stack: List[Tuple[int, Optional[str], int]] = []
    order = at = 0
    while at < len(pattern):
        step = _step(pattern, at)
        if pattern[at] == "(":
            named = re.compile(r"\(\?P?[<'](?![=!])(\w+)[>']").match(pattern, at)
            capturing = named or pattern[at + 1 : at + 2] not in ("?", "*")
            step = named.end() - at if named else 1
            stack.append((at + step, (named.group(1) if named else "") if capturing else None, order))
            order += 1
        elif pattern[at] == ")" and stack:
            start, name, number = stack.pop()
            if name is not None:
                found.append((number, name, pattern[start:at]))
        at += step
    return tuple((name, inner) for _, name, inner in sorted(found))


def _step(pattern: str, at: int) -> int:
    """How many characters belong together here: an escape, a whole set, or one."""
    if pattern[at] == "\\":
        return 2
    if pattern[at] != "[":
        return 1
    match = re.compile(r"\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]", re.DOTALL).match(pattern, at)
    return match.end() - at if match else 1


def holds_line_breaks(inner: str) -> bool:
    """May a capture match a line feed: ``[^/]`` without ``\\n``, ``\\s``, ``\\W``, ``\\D``?"""
    for negated, members in re.findall(r"\[(\^?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]", inner):
        if negated and not re.search(r"\\[nsRvW]|\\x0a|\\D|\[:space:\]", members, re.IGNORECASE):
            return True
        if not negated and re.search(r"\\[nsWD]|\[:space:\]", members):
            return True
    outside = re.sub(r"\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]", "", inner)
    return bool(re.search(r"(?<!\\)(?:\\\\)*\\[sWDn]|\(\?s\)", outside))
