"""Characters in rendered files that nobody wanted there: template marks, blanks that are none, curly quotes."""

from __future__ import annotations

import re
from typing import FrozenSet, Iterator, List, NamedTuple, Tuple

from deploykit.errors import Location
from deploykit.parsers.nginx_lexer import Lexer, Word
from deploykit.rules.rule import Subject

_MARK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|(?:^|(?<=[;}]))[ \t]*\{#.*?#\}")
_ODD = re.compile("[\u00a0\u00ad\u2007\u200b-\u200f\u202f\u2060\ufeff\udca0]")
_CURLY = re.compile("[\u2018-\u201f\u00ab\u00bb]")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
_NAMES = {"\ufeff": "a byte order mark", "\u00a0": "a no-break space", "\udca0": "a no-break space"}


class Mark(NamedTuple):
    """Something in a text. what: in words, for a message."""

    at: Location
    what: str
    curly: bool = False


def leftovers(subject: Subject) -> Iterator[Mark]:
    """What a template engine would have replaced, outside comments."""
    for path, text in _texts(subject):
        if "{{" in text or "{%" in text or "{#" in text:
            lua = "_by_lua" in text
            for number, line in enumerate(text.splitlines(), 1):
                for match in _MARK.finditer(_without_comment(line, path in _nginx_files(subject))):
                    if not (lua and match.group().startswith("{{")):
                        yield Mark(Location(path, number, match.start() + 1), match.group().strip())


def odd_characters(subject: Subject) -> Iterator[Mark]:
    """Blanks that are none and curly quotes, where they are not within plain quotes or comments."""
    for path, text in _texts(subject):
        if not text.isascii() and (_ODD.search(text) or _CURLY.search(text)):
            yield from _odd_in_nginx(path, text) if path in _nginx_files(subject) else _odd_in_fpm(path, text)


def leftover_lines(subject: Subject) -> FrozenSet[Tuple[str, int]]:
    """Files and lines in which a template's mark is left: what else is wrong there follows from it."""
    return frozenset((mark.at.file, mark.at.line) for mark in leftovers(subject))


def odd_lines(subject: Subject) -> FrozenSet[Tuple[str, int]]:
    """Files and lines that hold an odd character."""
    return frozenset((mark.at.file, mark.at.line) for mark in odd_characters(subject))


def _texts(subject: Subject) -> Iterator[Tuple[str, str]]:
    for files in (_nginx_files(subject), subject.fpm.files if subject.fpm else ()):
        yield from ((path, subject.texts[path]) for path in files if path in subject.texts)


def _nginx_files(subject: Subject) -> Tuple[str, ...]:
    return subject.nginx.files if subject.nginx else ()


def _without_comment(line: str, nginx: bool) -> str:
    """The line up to its comment. Quotes are looked at as far as the line goes."""
    at = 0
    while at < len(line):
        quoted = _QUOTED.match(line, at)
        if quoted:
            at = quoted.end()
        elif (line[at] == "#" and nginx and (at == 0 or line[at - 1] in " \t;{}")) or (line[at] == ";" and not nginx):
            return line if line[at - 1 : at + 1] == "{#" else line[:at]
        else:
            at += 1
    return line


def _odd_in_nginx(path: str, text: str) -> Iterator[Mark]:
    lines = text.split("\n")
    for statement in Lexer(text).statements():
        for word in statement.words:
            if lines[word.line - 1][word.column - 1 : word.column] not in ("'", '"'):
                yield from _odd_in_word(path, word)


def _odd_in_word(path: str, word: Word) -> Iterator[Mark]:
    if word.text.isascii():
        return
    found = _ODD.search(word.text)
    curly = None if found else _CURLY.search(word.text)
    for match in (found, curly):
        if match:
            at = Location(path, word.line, word.column + match.start())
            yield Mark(at, _named(match.group()), match is curly)


def _odd_in_fpm(path: str, text: str) -> Iterator[Mark]:
    lines: List[str] = text.split("\n")
    lines[0] = lines[0].lstrip("\ufeff")
    for number, line in enumerate(lines, 1):
        bare = _QUOTED.sub(lambda match: "x" * len(match.group()), _without_comment(line, False))
        for match in (_ODD.search(bare), _CURLY.search(bare)):
            if match:
                yield Mark(Location(path, number, match.start() + 1), _named(match.group()), bool(_CURLY.match(match.group())))


def _named(char: str) -> str:
    if _CURLY.match(char):
        return f"a typographic quote ({char})"
    return _NAMES.get(char, f"an invisible character (U+{ord(char):04X})")
