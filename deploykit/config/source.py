"""Text of a YAML file -> Nodes. The only reader of YAML.

A stricter YAML than PyYAML's own, since a value that silently becomes another one ends up in a live configuration:

- A value keeps the text that was written. What an unquoted one means (a number, true, a trap) is decided where it is used,
  in ``config.scalars`` and ``config.schema``.
- Keys are text, always, and may stand once in a map.
- Anchors, aliases, merge keys and tags are refused: layers (environment, groups) do what they are used for, and a file
  without them says what it means where it means it, and cannot grow when it is read.
- One document, no tabs outside quotes, no byte order mark, no control characters.

libyaml (PyYAML's C parser) is used when PyYAML was built with it, at a fraction of the time. It is more lenient than the
Python parser about tabs and about a comment right after ``|``, and words its errors otherwise: there the Python parser has
the last word, so that a file is right or wrong, and at the same place, on every machine.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from deploykit.config.node import Node, joined
from deploykit.errors import InvalidInput, Location
from deploykit.system.port import Readable

DEPTH = 40

_LENIENT = re.compile(r"\t|[|>][-+0-9]*#")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ODD_ASCII = re.compile("[^\t\n\r -~]")
_ODD = "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"  # 4 ms to compile: rarely needed


def read_file(path: str, shown: str, machine: Readable) -> Optional[Node]:
    """Read and parse one file; None when it is not there. path: where it is; shown: its name in messages.

    Raises InvalidInput for a file that is unreadable, not UTF-8 or not YAML.
    """
    try:
        content = machine.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}", at=Location(shown)) from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput("not UTF-8", at=Location(shown, line), hint="save the file as UTF-8") from error
    return read_yaml(text, shown)


def read_yaml(text: str, file: str, *, pure: bool = False) -> Node:
    """Parse the text of one file. file: its name, for Locations. pure: do without libyaml, for comparison.

    An empty file is an empty plain Node. Raises InvalidInput for what is not YAML, or is refused (see this module's
    docstring), with every refusal of the file in ``more``; a syntax error ends the read and stands alone.
    """
    import yaml

    _refuse_odd_characters(text, file)
    ended = text if text.endswith("\n") else text + "\n"
    if yaml.__with_libyaml__ and not pure and not _LENIENT.search(text):
        try:
            return _Builder(yaml.CLoader(ended), file).document()
        except yaml.YAMLError:
            pass
    parser = yaml.SafeLoader(ended)
    try:
        return _Builder(parser, file).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from error
    except (ValueError, OverflowError) as error:  # of chr(), for an escape such as "\UFFFFFFFF"
        at = Location(file, parser.line + 1, parser.column + 1)
        raise InvalidInput("an escape that is no character", at=at, hint=_ESCAPE_HINT) from error


def _refuse_odd_characters(text: str, file: str) -> None:
    odd = _ODD_ASCII.search(text) if text.isascii() else re.search(_ODD, text)
    if not odd:
        return
    at = odd.start()
    place = Location(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    if odd.group() == "\ufeff":
        raise InvalidInput("a byte order mark (U+FEFF)", at=place, hint="save the file as UTF-8 without a byte order mark")
    raise InvalidInput(f"a control character (U+{ord(odd.group()):04X})", at=place, hint="delete it")


_ESCAPE_HINT = 'in double quotes write "\\\\" for a backslash, or use single quotes'
_HINTS = (
    ("mapping values are not allowed", 'put the value into quotes if it holds ": "; else look at the indentation'),
    ("cannot start any token", "put a value that begins with this character into quotes"),
    ("alphabetic or numeric", "put a value that begins with this character into quotes"),
    ("found '<scalar>'", "text goes on after a closing quote, or the indentation of this line is off"),
    ("<block end>", "look at the indentation of this line and of the lines above it"),
    ("',' or", "a bracket above is not closed, or a comma is missing"),
    ("end of stream", "a quote or bracket above is not closed"),
    ("<stream end>", "a quote or bracket above is not closed"),
    ("escape character", _ESCAPE_HINT),
    ("<document start>", "look at the indentation: everything must stand in one map"),
)


def _syntax_error(error: Any, text: str, file: str) -> InvalidInput:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    tab = re.match(r" *\t", line)
    if tab or "'\\t'" in str(error.problem):
        column = tab.end() if tab else mark.column + 1
        return InvalidInput("a tab", at=Location(file, mark.line + 1, column), hint="YAML is indented with blanks only")
    words = str(error.problem).replace("<block end>", "the end of the block").replace("'<stream end>'", "the end of the file")
    hint = next((hint for part, hint in _HINTS if part in str(error.problem)), "look at this line and the one above it")
    return InvalidInput(f"not YAML: {words}", at=Location(file, mark.line + 1, mark.column + 1), hint=hint)


class _Builder:
    """Grows Nodes from a parser's events; ``problems`` are those that let the read go on."""

    def __init__(self, parser: Any, file: str) -> None:
        import yaml

        self._next = parser.get_event
        self._scalar = yaml.ScalarEvent
        self._map_start = yaml.MappingStartEvent
        self._map_end = yaml.MappingEndEvent
        self._list_start = yaml.SequenceStartEvent
        self._list_end = yaml.SequenceEndEvent
        self._alias = yaml.AliasEvent
        self._document_start = yaml.DocumentStartEvent
        self._file = file
        self._depth = 0
        self._problems: List[InvalidInput] = []

    def document(self) -> Node:
        start = self._next()
        event = self._next()
        if type(event) is not self._document_start:
            return Node("plain", "", start.start_mark, self._file)
        root = self._node(self._next())
        self._next()
        second = self._next()
        if type(second) is self._document_start:
            self._problem("a second document", second.start_mark, "one file holds one document: remove the line ---")
        if self._problems:
            raise joined(self._problems)
        return root

    def _node(self, event: Any) -> Node:
        kind = type(event)
        if kind is self._alias:
            self._problem(
                f"an alias (*{event.anchor})",
                event.start_mark,
                "put text that begins with * into quotes; else write the value out",
            )
            return Node("plain", "", event.start_mark, self._file)
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if kind is self._scalar:
            if event.implicit[0]:
                return Node("plain", event.value, event.start_mark, self._file)
            return Node("quoted", self._checked(event), event.start_mark, self._file)
        self._depth += 1
        if self._depth > DEPTH:
            raise InvalidInput(f"nested more than {DEPTH} deep", at=self._place(event.start_mark))
        node = self._map(event) if kind is self._map_start else self._list(event)
        self._depth -= 1
        return node

    def _list(self, start: Any) -> Node:
        entries: List[Node] = []
        event = self._next()
        while type(event) is not self._list_end:
            entries.append(self._node(event))
            event = self._next()
        return Node("list", entries, start.start_mark, self._file)

    def _map(self, start: Any) -> Node:
        children: Dict[str, Node] = {}
        event = self._next()
        while type(event) is not self._map_end:
            key = self._key(event, children)
            child = self._node(self._next())
            child.key_mark = event.start_mark
            children.setdefault(key, child)
            event = self._next()
        return Node("map", children, start.start_mark, self._file)

    def _key(self, event: Any, earlier: Dict[str, Node]) -> str:
        if type(event) is not self._scalar:
            written = self._node(event)
            hint = "put a value that begins with {{ into quotes" if written.kind == "map" else "keys are text"
            self._problem("a key that is no text", event.start_mark, hint)
            return ""
        key = self._checked(event)
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if key in earlier:
            first = earlier[key].key_mark.line + 1
            self._problem(f'"{key}" stands twice in this map, first in line {first}', event.start_mark, "remove one of the two")
        elif event.implicit[0] and key in ("<<", ""):
            what = "a merge key (<<)" if key else "an empty key"
            self._problem(what, event.start_mark, "write the keys out" if key else "write a name before the colon")
        return key

    def _checked(self, event: Any) -> str:
        text: str = event.value
        if not text.isascii() and _SURROGATE.search(text):
            self._problem("an escape for half a character", event.start_mark, "write \\U and eight digits")
        return text

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._problem(f"an anchor (&{event.anchor})", event.start_mark, "write the value out where it is needed")
        if event.tag is not None:
            self._problem(f"a tag ({event.tag})", event.start_mark, "write text in quotes, and everything else without a tag")

    def _problem(self, message: str, mark: Any, hint: str) -> None:
        self._problems.append(InvalidInput(message, at=self._place(mark), hint=hint))

    def _place(self, mark: Any) -> Location:
        return Location(self._file, mark.line + 1, mark.column + 1)
