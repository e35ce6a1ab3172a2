"""From a line of the output back to its template's line, worked out only when somebody asks."""

from __future__ import annotations

import re
from typing import Any, Iterator, List, Mapping, Optional, Tuple

from deploykit.errors import DeploykitError, Location
from deploykit.templating.environment import Extension, Token, TokenStream
from deploykit.templating.sources import shown
from deploykit.templating.templates import Templates

# Characters for private use, which no configuration has; if one does, `locations` sees that the text came out different.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_AT_START = re.compile(f"(?:\\s|{_OPEN}\\d+{_CLOSE})*")
_CAPTURES = ("macro", "call", "filter", "set")
_SET_TARGET = ("name", "comma", "dot", "lparen", "rparen")


class Marks(Extension):
    """Puts a mark before every line of text and every ``{{``; ``places`` tells what each mark stands for.

    It works behind the lexer, where the blanks and newlines that jinja2 takes away are gone already.
    """

    captured = True  # also in text that a macro, call, filter or set block captures

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.places: List[Location] = []

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """For jinja2: the same tokens, with marks."""
        file, depth = stream.filename or stream.name or "", 0
        for piece in _pieces(stream):
            depth += _deeper(piece)
            first = piece[0]
            if depth and not self.captured:
                yield from piece
            elif first.type == "data":
                yield Token(first.lineno, "data", self._marked(first, file))
            else:
                if first.type == "variable_begin":
                    yield Token(first.lineno, "data", self._mark(file, first.lineno))
                yield from piece

    def _marked(self, text: Token, file: str) -> str:
        lines = str(text.value).split("\n")
        # no mark where nothing stands: a filter that leaves empty lines alone would take it for text
        return "\n".join(line and self._mark(file, text.lineno + more) + line for more, line in enumerate(lines))

    def _mark(self, file: str, line: int) -> str:
        self.places.append(Location(file, line))
        return f"{_OPEN}{len(self.places) - 1}{_CLOSE}"


class OuterMarks(Marks):
    """Marks only what is printed where it stands: captured text may be compared or trimmed, and marks would show."""

    captured = False


def _pieces(stream: TokenStream) -> Iterator[List[Token]]:
    """Every ``{% %}`` as one list of tokens, all others one by one."""
    block: List[Token] = []
    for token in stream:
        if block or token.type == "block_begin":
            block.append(token)
            if token.type != "block_end":
                continue
        yield block or [token]
        block = []


def _deeper(piece: List[Token]) -> int:
    """1 for a block that begins to capture text, -1 for one that ends it, else 0."""
    if piece[0].type != "block_begin":
        return 0
    word = str(piece[1].value)
    if word.startswith("end"):
        return -1 if word[3:] in _CAPTURES else 0
    if word == "set":
        return int(next((token.type for token in piece[2:] if token.type not in _SET_TARGET), "") != "assign")
    return int(word in _CAPTURES)


def locations(templates: Templates, name: str, more: Mapping[str, object]) -> Tuple[Location, ...]:
    """The place of every output line of a template (element 0 is for line 1), in it or in what it includes and calls.

    The template is rendered again with marks. Where marks would change the text, fewer are used; where even those do,
    every line is said to come from the template, without a line number.
    """
    expected = templates.render(name, more).split("\n")[:-1]
    for marks in (Marks, OuterMarks):
        places = _places(templates, marks, (name, more), expected)
        if places:
            return places
    return tuple(Location(shown(name)) for _ in expected)


def _places(
    templates: Templates, marks: type[Marks], wanted: Tuple[str, Mapping[str, object]], expected: List[str]
) -> Optional[Tuple[Location, ...]]:
    marked = Templates(templates.names, templates.sources, (marks,))
    try:
        lines = marked.render(*wanted).split("\n")
    except DeploykitError:
        return None
    if [_MARK.sub("", line) for line in lines[: len(expected)]] != expected:
        return None
    extension = marked.environment.extensions[marks.identifier]
    assert isinstance(extension, Marks)
    return tuple(_read(lines[: len(expected)], extension.places, Location(shown(wanted[0]), 1)))


def _read(lines: List[str], places: List[Location], current: Location) -> Iterator[Location]:
    """The last mark before a line's first visible character counts; a line without one belongs to what was printed before."""
    for line in lines:
        start = _AT_START.match(line)
        leading = _MARK.findall(start[0]) if start else []
        yield places[int(leading[-1])] if leading else current
        marks = _MARK.findall(line)
        current = places[int(marks[-1])] if marks else current
