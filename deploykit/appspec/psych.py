"""A YAML file as a tree of what is written, by the rules of libyaml 0.2.5, which both agents use.

The only importer of PyYAML for appspec.yml. Its pure Python scanner is used on every machine, so that a verdict does not
depend on how PyYAML was built; where it is more or less strict than libyaml, the difference is made up for here.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, List, Optional, Tuple, Union

import yaml
from yaml.scanner import ScannerError
from yaml.tokens import ScalarToken

from deploykit.appspec.document import Problem, Tree
from deploykit.appspec.tree import TooDeepError, build
from deploykit.errors import Location

# libyaml's own list. A NUL is among the forbidden, as is U+FFFE.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t" + _BREAKS
_ENDS = "\0" + _BLANKS

__all__ = ["TooDeepError", "parse"]


def parse(raw: bytes, file: str) -> Tree:
    """The first document of ``raw``. Raises ``TooDeepError``; anything else that is wrong is told in the tree."""
    text, problem = _decoded(raw, file)
    return Tree(problem=problem) if problem else build(_events(text, file), file)


def _decoded(raw: bytes, file: str) -> Tuple[str, Optional[Problem]]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return "", Problem(f"byte 0x{raw[error.start]:02x} is not UTF-8", _place(raw[: error.start], file))
    forbidden = _FORBIDDEN.search(text)
    if not forbidden:
        return text, None
    place = _place(text[: forbidden.start()].encode(), file)
    return "", Problem(f"control characters are not allowed (U+{ord(forbidden.group()):04X})", place)


def _place(before: bytes, file: str) -> Location:
    line = before.rsplit(b"\n", 1)[-1]
    return Location(file, before.count(b"\n") + 1, len(line.decode("utf-8", "replace")) + 1)


def _events(text: str, file: str) -> Iterator[Union[Any, Problem]]:
    """PyYAML's events, and as the last of them a ``Problem`` where libyaml would stop."""
    try:
        for event in yaml.parse(text, _Loader):
            unwanted = _unwanted(event)
            if unwanted:
                yield Problem(unwanted, _mark(event.start_mark, file))
                return
            yield event
    except yaml.MarkedYAMLError as error:
        words = [part for part in (error.problem, error.context) if part]
        yield Problem(" ".join(words) or "not YAML", _mark(error.problem_mark or error.context_mark, file))
    except (yaml.YAMLError, ValueError, OverflowError, IndexError) as error:
        # Escapes for characters that do not exist, a version number of a thousand digits, and the like.
        yield Problem(f"not YAML: {error}", Location(file))


def _mark(mark: Any, file: str) -> Location:
    return Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)


def _unwanted(event: Any) -> str:
    """What libyaml refuses and PyYAML lets pass."""
    if _SURROGATE.search(getattr(event, "value", None) or ""):
        return "found invalid Unicode character escape code"
    version = getattr(event, "version", None)
    if version and version not in ((1, 1), (1, 2)):
        return "found incompatible YAML document"
    return ""


_Base: Any = yaml.SafeLoader


class _Loader(_Base):  # type: ignore[misc]
    """PyYAML's loader with libyaml's views on tabs, byte order marks, ``?`` and ``:`` in flow text, and directives."""

    def scan_to_next_token(self) -> None:
        while True:
            self._skip_blanks()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _skip_blanks(self) -> None:
        if self.column == 0 and self.peek() == "\ufeff":
            self.forward()
            self.column += 1  # libyaml steps over the mark but counts it, so that the keys below stand further left
        while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
            self.forward()

    def scan_plain(self) -> Any:
        start = end = self.get_mark()
        words: List[str] = []
        gap, broken = "", False
        while self.peek() != "#" and not self._at_document_mark():
            word = self._word(start)
            if word:
                words += [gap, word]
                end, broken = self.get_mark(), False
            if self.peek() not in _BLANKS:
                break
            gap, broken = self._gap(start)
            if not self.flow_level and self.column < self.indent + 1:
                break
        if broken:
            self.allow_simple_key = True
        return ScalarToken("".join(words), True, start, end)

    def _at_document_mark(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS

    def _word(self, start: Any) -> str:
        length = 0
        while self.peek(length) not in _ENDS:
            here, after = self.peek(length), self.peek(length + 1)
            if self.flow_level and here == ":" and after in ",?[]{}":
                raise ScannerError("while scanning a plain scalar", start, "found unexpected ':'", self.get_mark())
            if (here == ":" and after in _ENDS) or (self.flow_level and here in ",[]{}"):
                break
            length += 1
        word: str = self.prefix(length)
        self.forward(length)
        return word

    def _gap(self, start: Any) -> Tuple[str, bool]:
        """The white space between two words as it is folded, and whether it held a line break."""
        blanks, breaks = "", []
        while self.peek() in _BLANKS:
            if self.peek() in _BREAKS:
                breaks.append(self.scan_line_break())
                continue
            if breaks and self.peek() == "\t" and self.column < self.indent + 1:
                problem = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start, problem, self.get_mark())
            blanks += "" if breaks else self.peek()
            self.forward()
        if not breaks:
            return blanks, False
        first, rest = breaks[0], "".join(breaks[1:])
        return (rest or " ") if first == "\n" else first + rest, True

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        self._refuse_tab(self.column + 1)
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        found = super().scan_block_scalar_breaks(indent)
        self._refuse_tab(indent)
        return found

    def _refuse_tab(self, indent: int) -> None:
        if self.peek() == "\t" and self.column < indent:
            problem = "found a tab character where an indentation space is expected"
            raise ScannerError("while scanning a block scalar", None, problem, self.get_mark())

    def scan_directive(self) -> Any:
        token = super().scan_directive()
        if token.name not in ("YAML", "TAG"):
            problem = "found unknown directive name"
            raise ScannerError("while scanning a directive", token.start_mark, problem, token.start_mark)
        return token
