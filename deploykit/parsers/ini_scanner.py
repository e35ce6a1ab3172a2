"""One line of an ini file as PHP reads it: the scanner and the grammar of PHP's "normal" mode.

php-fpm hands every line to PHP's ini parser on its own, so a line is all there is: values never run over two of them.
Where the two readings of a character compete the longer one wins, then the one that is tried first here.
"""

from __future__ import annotations

import re
from typing import Callable, List, Optional, Tuple

from deploykit.parsers.ini_constants import CONSTANTS
from deploykit.parsers.ini_tokens import (
    ARRAY,
    ARRAY_START,
    BARE,
    BLANKS,
    ENTRY,
    EQUALS,
    ESCAPE,
    IDENTIFIER,
    LABEL,
    LINE_END,
    MAX_OPERANDS,
    NAME_END,
    NAME_RUN,
    ONE_QUOTED,
    OPEN_QUOTE,
    OPERATOR,
    PLAIN,
    QUOTE,
    QUOTE_END,
    QUOTE_IT,
    QUOTED_RUN,
    RAW,
    RUN,
    SECTION,
    SECTION_END,
    TRUE_WORDS,
    WORD,
    WORDS,
    RefusedError,
    Statement,
    Variables,
    shown,
    to_int,
)


def scan_line(text: str, variables: Variables) -> Tuple[List[Statement], Optional[RefusedError]]:
    """What one line says, and why it is refused (from there on) if it is.

    ``text`` ends with its line feed, unless a NUL byte cut it short. ``variables`` gives the value of a ``${name}``:
    php.ini's settings first, then the environment.
    """
    plain = _plain(text)
    if plain:
        return [plain], None
    scanner = _Scanner(text, variables)
    try:
        scanner.run()
    except RefusedError as problem:
        return scanner.statements, problem
    return scanner.statements, None


def _plain(text: str) -> Optional[Statement]:
    """The short way for ``name = word``, which is nearly every line there is."""
    match = PLAIN.match(text)
    if match is None:
        return None
    name, bracket, word, quoted = match.groups()
    if (word is not None and (word in CONSTANTS or word.lower() in WORDS)) or name.lower() in WORDS:
        return None
    if bracket is not None and (bracket in CONSTANTS or bracket.lower() in WORDS):
        return None
    value = word if quoted is None else quoted
    raw = text[text.index("=") + 1 :].strip()
    column = match.start(1) + 1
    return Statement(ENTRY if bracket is None else ARRAY, name, bracket or "", value, raw, quoted is not None, (), column)


def constant(word: str) -> str:
    """What a bare word stands for."""
    return CONSTANTS.get(word, word)


def _bracket_constant(word: str) -> str:
    """In the brackets of an array the words of truth are constants like any other."""
    lower = word.lower()
    if lower in ("true", "false", "null"):
        return "1" if lower == "true" else ""
    return constant(word)


class _Scanner:
    """Reads statements from one line; ``at`` is where it stands."""

    def __init__(self, text: str, variables: Variables) -> None:
        self.text = text
        self.at = 0
        self.variables = variables
        self.statements: List[Statement] = []
        self.unset: List[str] = []

    def run(self) -> None:
        while self.at < len(self.text):
            if self.take(LINE_END):
                continue
            if self.text[self.at] == "[":
                self.section()
            elif self.text[self.at] == "\0" or self.text[self.at] == ";":
                return
            else:
                self.labelled()

    def take(self, pattern: re.Pattern[str]) -> Optional[re.Match[str]]:
        """Step over ``pattern`` if it stands here."""
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def refuse(self, message: str, hint: str = "") -> RefusedError:
        return RefusedError(self.at + 1, message, hint)

    def section(self) -> None:
        column = self.at + 1
        self.at += 1
        name = self.name(SECTION_END, str)
        self.statements.append(Statement(SECTION, name, "", "", "", False, (), column))

    def labelled(self) -> None:
        """A name, alone, with a value, or with an index and a value."""
        array = self.take(ARRAY_START)
        if array:
            self.array(array)
            return
        if EQUALS.match(self.text, self.at):
            raise self.refuse("nothing before '='")
        blanks, word, label = (p.match(self.text, self.at) for p in (BLANKS, WORD, LABEL))
        if blanks and (not label or blanks.end() > label.end()):
            self.at = blanks.end()
            return
        if not label or (word and word.end() >= label.end()):
            raise self.refuse(f"unexpected {shown(word.group().strip() if word else self.peek())}")
        self.entry(label)

    def entry(self, label: re.Match[str]) -> None:
        column = label.start() + 1 + len(label.group()) - len(label.group().lstrip(" "))
        name = label.group().strip(" ")
        self.at = label.end()
        if not self.take(EQUALS):
            self.statements.append(Statement(BARE, name, "", "", "", False, (), column))
            return
        self.valued(ENTRY, name, "", column)

    def array(self, start: re.Match[str]) -> None:
        label = start.group(1)
        column = start.start() + 1 + len(label) - len(label.lstrip(" "))
        bracket = self.name(NAME_END, _bracket_constant)
        if not self.take(EQUALS):
            raise self.refuse("no '=' after ']'")
        self.valued(ARRAY, label.strip(" "), bracket, column)

    def valued(self, kind: str, name: str, bracket: str, column: int) -> None:
        start = self.at
        self.unset = []
        value = _Value(self).whole()
        raw = self.text[start:].strip()
        quoted = bool(ONE_QUOTED.match(self.text, start))
        self.statements.append(Statement(kind, name, bracket, value, raw, quoted, tuple(self.unset), column))

    def name(self, end: re.Pattern[str], meaning: Callable[[str], str]) -> str:
        """The text up to a closing bracket, for a section or an array."""
        pieces: List[str] = []
        opened = self.at
        while not self.take(end):
            piece = self.shared_piece()
            if piece is None:
                run = self.take(NAME_RUN)
                if run is None:
                    self.at = opened
                    raise self.refuse("']' is missing")
                piece = meaning(run.group()) if IDENTIFIER.match(run.group()) else run.group()
            pieces.append(piece)
        return "".join(pieces)

    def shared_piece(self) -> Optional[str]:
        """What may stand in names and values alike: quotes of both kinds and ``${name}``."""
        if self.text.startswith("${", self.at):
            return self.variable()
        if self.take(QUOTE):
            return self.double_quoted()
        raw = self.take(RAW)
        return raw.group(1) if raw else None

    def double_quoted(self) -> str:
        opened = self.at
        pieces: List[str] = []
        while not self.take(QUOTE_END):
            if self.text.startswith("${", self.at):
                pieces.append(self.variable())
                continue
            run = self.take(QUOTED_RUN)
            if run is None:
                self.at = opened - 1
                raise self.refuse(OPEN_QUOTE, "a value cannot go on in the next line")
            pieces.append(ESCAPE.sub(r"\1", run.group()))
        return "".join(pieces)

    def variable(self) -> str:
        opened = self.at
        self.at += 2
        label = self.take(LABEL)
        if label is None or self.peek() != "}":
            self.at = opened
            raise self.refuse("'${' without a name and '}'", 'write \\${ in double quotes for the text "${"')
        self.at += 1
        name = label.group().strip(" ")
        value = self.variables(name)
        if value is None:
            self.unset.append(name)
        return value or ""


class _Value:
    """The right side of ``=``: pieces that join, or an expression of bit operators, or one word of truth."""

    def __init__(self, scanner: _Scanner) -> None:
        self.scanner = scanner
        self.depth = 0

    def whole(self) -> str:
        scanner = self.scanner
        word = scanner.take(WORD) if self.word_stands_alone() else None
        if word:
            value = "1" if word.group().strip().lower() in TRUE_WORDS else ""
        else:
            value = "" if self.ended() else self.expression()
        self.end()
        return value

    def word_stands_alone(self) -> bool:
        word = WORD.match(self.scanner.text, self.scanner.at)
        run = RUN.match(self.scanner.text, self.scanner.at)
        return bool(word and run and word.end() >= run.end())

    def ended(self) -> bool:
        """At the end of the line, or at a quote that opens and closes at once: ``''`` reads as an end."""
        text, at = self.scanner.text, self.scanner.at
        return at >= len(text) or text[at] in "\r\n;" or text.startswith("''", at) or bool(LINE_END.match(text, at))

    def end(self) -> None:
        """Step over the end of the value; what follows ``''`` is read as a new statement."""
        scanner = self.scanner
        if scanner.take(LINE_END) or scanner.at >= len(scanner.text):
            return
        char = scanner.peek()
        if RAW.match(scanner.text, scanner.at) or RUN.match(scanner.text, scanner.at):
            raise self.unexpected()
        if scanner.text.startswith("''", scanner.at) or char in "$;\0":
            scanner.at += 1
        elif char == "'":
            # An opening quote that nothing closes ends the line for PHP, and what stands before it is the value.
            scanner.at = len(scanner.text)
        else:
            raise self.unexpected()

    def unexpected(self) -> RefusedError:
        scanner = self.scanner
        word = WORD.match(scanner.text, scanner.at)
        found = word.group().strip() if word else scanner.peek()
        if found in ("", "\n", "\r"):
            return scanner.refuse("the value ends where more is expected", QUOTE_IT)
        return scanner.refuse(f"unexpected {shown(found)} in a value without quotes", QUOTE_IT)

    def expression(self) -> str:
        left = self.operand()
        while self.scanner.peek() in ("|", "&", "^"):
            sign = self.operator()
            left = _combined(sign, left, self.operand())
        return left

    def operator(self) -> str:
        match = self.scanner.take(OPERATOR)
        return match.group()[0] if match else ""

    def operand(self) -> str:
        char = self.scanner.peek()
        self.depth += 1
        if self.depth > MAX_OPERANDS:
            raise self.scanner.refuse(f"more than {MAX_OPERANDS} operators in one value", QUOTE_IT)
        if char in ("~", "!"):
            self.operator()
            number = to_int(self.operand())
            return str(~number if char == "~" else int(not number))
        if char == "(":
            self.operator()
            inner = self.expression()
            if self.scanner.peek() != ")":
                raise self.unexpected()
            self.operator()
            return inner
        return self.pieces()

    def pieces(self) -> str:
        """Adjacent pieces join, the blanks between bare words included."""
        found: List[str] = []
        while True:
            piece = self.piece()
            if piece is None:
                break
            found.append(piece)
        if not found:
            raise self.unexpected()
        return "".join(found)

    def piece(self) -> Optional[str]:
        scanner = self.scanner
        if LINE_END.match(scanner.text, scanner.at):
            return None
        shared = scanner.shared_piece()
        if shared is not None:
            return shared
        blanks = scanner.take(BLANKS)
        if blanks:
            return blanks.group()
        if self.word_stands_alone():
            return None
        run = scanner.take(RUN)
        if run is None:
            return None
        return constant(run.group()) if IDENTIFIER.match(run.group()) else run.group()


def _combined(sign: str, left: str, right: str) -> str:
    first, second = to_int(left), to_int(right)
    if sign == "|":
        return str(first | second)
    return str(first & second if sign == "&" else first ^ second)
