"""nginx's words: a file cut into statements as nginx's own reader cuts it, comments apart.

A quote counts only at the beginning of a word and must be followed by a blank, ``;``, ``{`` or ``)``; a ``{`` belongs to
the word behind a ``$``; a ``}`` ends a block only where a statement begins.
"""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Tuple

_SKIP = re.compile(r"[ \t\r\n]+")
_COMMENT = re.compile(r"#[^\n]*")
_BARE = re.compile(r"(?:\\[\s\S]|\$\{+|[^\\ \t\r\n;{])+")
_DOUBLE = re.compile(r"\"((?:\\[\s\S]|[^\"\\])*)\"")
_SINGLE = re.compile(r"'((?:\\[\s\S]|[^'\\])*)'")
_ESCAPE = re.compile(r"\\([\"'\\trn])")
_MEANING = {"t": "\t", "r": "\r", "n": "\n"}
_AFTER_QUOTE = frozenset(" \t\r\n;{)")
_LUA = re.compile(r"--\[\[[\s\S]*?\]\]|--[^\n]*|\[\[[\s\S]*?\]\]|\"(?:\\[\s\S]|[^\"\\])*\"|'(?:\\[\s\S]|[^'\\])*'|[{}]")


class Word(NamedTuple):
    """One word without its quotes, and where it begins (from 1)."""

    text: str
    line: int
    column: int


class Statement(NamedTuple):
    """Words and what ends them: ``;``, ``{`` (a block follows), ``}`` (a block ends, no words) or ``""`` (end of file)."""

    words: Tuple[Word, ...]
    end: str
    line: int


class Fault(NamedTuple):
    """A place where nginx would stop."""

    message: str
    line: int
    column: int
    hint: str = ""


class Lexer:
    """Cuts one text. Reading goes on behind a fault; ``faults`` and ``comments`` (by line) fill up meanwhile."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.faults: List[Fault] = []
        self.comments: dict[int, str] = {}
        self._counted = 0
        self._line = 1

    def statements(self) -> Iterator[Statement]:
        """All statements in their order; the last one has the end ``""``."""
        words: List[Word] = []
        while True:
            end = self.word_or_end(words)
            if end is None:
                continue
            if end == "}" and words:
                self.missing_semicolon(words)
                yield Statement(tuple(words), ";", words[-1].line)
                words = []
            if end == "" and words:
                last = words[-1]
                self.faults.append(Fault("the file ends within a statement", last.line, last.column, "';' is missing"))
            yield Statement(tuple(words), end, self.line())
            if end == "{" and words and words[0].text.endswith("_by_lua_block"):
                self.skip_lua()
            if end == "":
                return
            words = []

    def word_or_end(self, words: List[Word]) -> str | None:
        """Read the next word into ``words`` (None), or what ends the statement."""
        self.skip()
        char = self.text[self.at : self.at + 1]
        if char in (";", "{") or (char == "}"):
            self.at += 1
            return char
        if not char:
            return ""
        line, column = self.line(), self.at - self.text.rfind("\n", 0, self.at)
        quoted = (_DOUBLE if char == '"' else _SINGLE).match(self.text, self.at) if char in "\"'" else None
        if quoted:
            self.at = quoted.end()
            words.append(Word(unescaped(quoted.group(1)), line, column))
            self.after_quote()
        else:
            words.append(self.bare(char, line, column))
        return None

    def bare(self, char: str, line: int, column: int) -> Word:
        if char in "\"'":
            self.faults.append(Fault("the quote is not closed", line, column))
            self.at = len(self.text)
            return Word("", line, column)
        match = _BARE.match(self.text, self.at)
        self.at = match.end() if match else len(self.text)
        return Word(unescaped(match.group() if match else ""), line, column)

    def skip(self) -> None:
        """Step over blanks and comments."""
        while True:
            blanks = _SKIP.match(self.text, self.at)
            if blanks:
                self.at = blanks.end()
            comment = _COMMENT.match(self.text, self.at)
            if not comment:
                return
            self.comments[self.line()] = comment.group()[1:].strip()
            self.at = comment.end()

    def after_quote(self) -> None:
        char = self.text[self.at : self.at + 1]
        if char and char not in _AFTER_QUOTE:
            column = self.at - self.text.rfind("\n", 0, self.at)
            hint = "a quote inside a value is written \\\", and a blank or ';' follows the closing one"
            self.faults.append(Fault(f"unexpected {char!r} behind a closing quote", self.line(), column, hint))

    def missing_semicolon(self, words: List[Word]) -> None:
        last = words[-1]
        column = last.column + len(last.text)
        self.faults.append(Fault(f"unexpected '}}' behind '{words[0].text}'", last.line, column, "';' is missing before it"))

    def skip_lua(self) -> None:
        """The block of a Lua directive is program text: step to the brace that ends it."""
        depth = 1
        for match in _LUA.finditer(self.text, self.at):
            depth += {"{": 1, "}": -1}.get(match.group(), 0)
            if not depth:
                self.at = match.start()
                return
        self.at = len(self.text)

    def line(self) -> int:
        """The line in which reading stands."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line


def unescaped(word: str) -> str:
    """A word as nginx holds it: a backslash goes before quotes and backslashes, and makes ``\\t \\r \\n``; else it stays."""
    if "\\" not in word:
        return word
    return _ESCAPE.sub(lambda match: _MEANING.get(match.group(1), match.group(1)), word)
