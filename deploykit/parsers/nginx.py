"""nginx.conf and all that it includes, read from whatever tree is handed in.

Words are cut by ``nginx_lexer``, includes are opened here, because crossplane's own reader knows only files that are
there. Where a directive may stand and how many arguments it takes, crossplane says, by a table of nginx 1.17: in its
default mode, in which a name that it does not know passes. Only a rule that knows the target's version may object to one.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Sequence, Set, Tuple

from deploykit.errors import Location
from deploykit.parsers.nginx_lexer import Lexer, Statement
from deploykit.parsers.nginx_names import NEWER
from deploykit.parsers.nginx_tree import Directive, NginxConfig, Parents, defined_variables, effective, variables_in, walk
from deploykit.parsers.problem import Include, Problem, nearest, printable

__all__ = [
    "Directive",
    "Include",
    "NginxConfig",
    "Parents",
    "Problem",
    "defined_variables",
    "effective",
    "known",
    "nearest_name",
    "parse",
    "variables_in",
    "walk",
]

Read = Callable[[str], bytes]
Glob = Callable[[str], Sequence[str]]
Around = Tuple[str, ...]
NOWHERE: Around = ("?",)
MAX_DEPTH = 64


def parse(main: str, read: Read, glob: Glob) -> NginxConfig:
    """The configuration that begins with the file ``main`` (absolute); relative includes lie in its folder.

    ``read`` gives the bytes of a file, ``glob`` the files that match an absolute pattern, sorted, without folders; both
    may raise OSError. Never raises for what is in the files, or for files that are not there.
    """
    reader = _Reader(main, read, glob)
    block = reader.file(main, (), Location(main))
    root = Directive("", (), main, 0, 0, block)
    return NginxConfig(root, tuple(reader.problems), tuple(reader.includes), tuple(reader.files), reader.comments)


def known(name: str) -> bool:
    """Is this the name of a directive, in nginx 1.17 or as far as we know in any later one?"""
    return name in NEWER or name in _analyzer().DIRECTIVES


def nearest_name(name: str) -> str:
    """A hint that offers the name which was perhaps meant, ``""`` when none is near."""
    return nearest(name, [*_analyzer().DIRECTIVES, *NEWER])


def _analyzer() -> Any:
    from crossplane import analyzer

    return analyzer


class _Reader:
    """Opens files and builds the tree."""

    def __init__(self, main: str, read: Read, glob: Glob) -> None:
        self.folder = main.rpartition("/")[0]
        self.read, self.glob = read, glob
        self.analyzer = _analyzer()
        self.problems: List[Problem] = []
        self.includes: List[Include] = []
        self.files: List[str] = []
        self.comments: Dict[Tuple[str, int], str] = {}
        self.done: Dict[Tuple[str, Around], Tuple[Directive, ...]] = {}
        self.reading: List[str] = []
        self.said: Set[Tuple[str, ...]] = set()

    def complain(self, kind: str, message: str, at: Location, hint: str = "") -> None:
        """Once for a place, though a file may be included twice; of syntax one word a line, the rest follows from it."""
        place = (kind, at.file, str(at.line), "" if kind == "nginx-syntax" else message)
        if place not in self.said:
            self.said.add(place)
            self.problems.append(Problem(kind, "error", printable(message), at, printable(hint)))

    def file(self, path: str, around: Around, asked: Location) -> Tuple[Directive, ...]:
        """The directives of one file that stands within the blocks ``around``; ``asked`` is the place that wants it."""
        if path in self.reading:
            self.complain("nginx-syntax", f"{path} includes itself", asked)
            return ()
        if (path, around) not in self.done:
            try:
                text = self.read(path).decode("utf-8", "surrogateescape")
            except OSError as error:
                self.complain("nginx-include-missing", f"{path} cannot be read: {error.strerror or error}", asked)
                return ()
            self.reading.append(path)
            self.done[path, around] = _File(self, path, text).directives(around)
            self.reading.pop()
        return self.done[path, around]

    def include(self, directive: Directive, around: Around) -> Iterator[Directive]:
        if len(directive.args) != 1:
            return
        pattern = directive.args[0]
        if not pattern.startswith("/"):
            pattern = f"{self.folder}/{pattern}"
        found: Tuple[str, ...] = (pattern,)
        if any(char in pattern for char in "*?["):
            found = self.matching(pattern)
        self.includes.append(Include(pattern, found, directive.at))
        for path in found:
            yield from self.file(path, around, directive.at)

    def matching(self, pattern: str) -> Tuple[str, ...]:
        """nginx takes a glob in a folder that is not there for one that matches nothing."""
        try:
            return tuple(self.glob(pattern))
        except OSError:
            return ()


class _File:
    """One file on its way into the tree."""

    def __init__(self, reader: _Reader, path: str, text: str) -> None:
        self.reader = reader
        self.path = path
        self.lexer = Lexer(text)
        self.statements = self.lexer.statements()
        self.depth = 0

    def directives(self, around: Around) -> Tuple[Directive, ...]:
        if self.path not in self.reader.files:
            self.reader.files.append(self.path)
        found: List[Directive] = []
        while True:
            inner, end = self.block(around)
            found.extend(inner)
            if end.end == "":
                break
            self.complain("unexpected '}', no block is open here", end.line)
        for fault in self.lexer.faults:
            at = Location(self.path, fault.line, fault.column)
            self.reader.complain("nginx-syntax", fault.message, at, fault.hint)
        self.reader.comments.update({(self.path, line): text for line, text in self.lexer.comments.items()})
        return tuple(found)

    def complain(self, message: str, line: int, column: int = 0, hint: str = "") -> None:
        self.reader.complain("nginx-syntax", message, Location(self.path, line, column), hint)

    def block(self, around: Around) -> Tuple[List[Directive], Statement]:
        """Directives up to the end of the block or file, and what ended them."""
        found: List[Directive] = []
        for statement in self.statements:
            if statement.end in ("}", ""):
                return found, statement
            found.extend(self.statement(statement, around))
        return found, Statement((), "", self.lexer.line())

    def statement(self, statement: Statement, around: Around) -> Iterator[Directive]:
        if not statement.words:
            self.complain(f"unexpected '{statement.end}', nothing stands before it", statement.line)
            if statement.end == "{":
                self.block(NOWHERE)
            return
        first = statement.words[0]
        args = [word.text for word in statement.words[1:]]
        lines = tuple(word.line for word in statement.words[1:])
        if first.text == "if":
            args = _without_parentheses(args)
        plain = Directive(first.text, tuple(args), self.path, first.line, first.column, None, lines)
        fits = self.judged(plain, statement, around)
        if statement.end == "{":
            yield self.opened(plain, around, fits)
            return
        yield plain
        if plain.name == "include":
            yield from self.reader.include(plain, around)

    def opened(self, plain: Directive, around: Around, fits: bool) -> Directive:
        """The directive with its block. Within a block that may not stand here nothing is judged."""
        inner = self.reader.analyzer.enter_block_ctx({"directive": plain.name}, around) if fits else NOWHERE
        self.depth += 1
        block, end = self.block(inner) if self.depth < MAX_DEPTH else self.too_deep(plain)
        self.depth -= 1
        if end.end == "":
            self.complain(f"the '{{' of '{plain.name}' is not closed", plain.line, plain.column, "'}' is missing")
        return Directive(plain.name, plain.args, plain.file, plain.line, plain.column, tuple(block), plain.arg_lines)

    def too_deep(self, plain: Directive) -> Tuple[List[Directive], Statement]:
        """Step over a block; nginx sets no limit, but nobody writes such a thing and we do not fall over it."""
        self.complain(f"more than {MAX_DEPTH} blocks within each other", plain.line, plain.column)
        depth = 1
        for statement in self.statements:
            depth += {"{": 1, "}": -1}.get(statement.end, 0)
            if not depth or not statement.end:
                return [], statement
        return [], Statement((), "", self.lexer.line())

    def judged(self, plain: Directive, statement: Statement, around: Around) -> bool:
        """Ask crossplane whether the directive may stand here like this."""
        from crossplane.errors import NgxParserDirectiveError

        asked = {"directive": plain.name, "line": plain.line, "args": list(plain.args)}
        try:
            self.reader.analyzer.analyze(self.path, asked, statement.end, around, strict=False)
        except NgxParserDirectiveError as error:
            reason = str(error.strerror)
            kind = "nginx-bad-value" if reason.startswith("invalid value") else "nginx-syntax"
            self.reader.complain(kind, reason, plain.at, _hint(plain, reason, around))
            return False
        return True


def _hint(plain: Directive, reason: str, around: Around) -> str:
    """A directive's name at the beginning of a later line means that the line before it was not ended."""
    previous = plain.line
    for arg, line in zip(plain.args, plain.arg_lines):
        if line > previous and known(arg):
            return f"';' is missing at the end of line {previous}"
        previous = line
    misplaced = reason.endswith("not allowed here")
    return f"it stands in {' > '.join(around) or 'the outermost level'}" if misplaced else ""


def _without_parentheses(args: List[str]) -> List[str]:
    if not args or not args[0].startswith("(") or not args[-1].endswith(")"):
        return args
    first = args[0][1:]
    inner = [first, *args[1:]] if len(args) > 1 else [first]
    inner[-1] = inner[-1][:-1]
    return [arg for position, arg in enumerate(inner) if arg or position not in (0, len(inner) - 1)]
