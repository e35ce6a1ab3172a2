"""php-fpm.conf and its pools, read as php-fpm 8.2 reads them, except that reading goes on behind an error.

Files are handed in: ``read`` gives the bytes of one, ``glob`` the files that match an absolute pattern (sorted, without
folders; OSError when the folder to be searched is not there). So a candidate can be read that lies nowhere yet.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from deploykit.errors import Location
from deploykit.parsers.ini_scanner import scan_line
from deploykit.parsers.ini_tokens import ARRAY, BARE, OPEN_QUOTE, SECTION, RefusedError, Statement
from deploykit.parsers.php_fpm_checks import refused_later
from deploykit.parsers.php_fpm_directives import ARRAYS, GLOBAL, POOL, Known, boolean, text
from deploykit.parsers.php_fpm_tree import BUILD_PREFIX, Entry, FpmConfig, Pool, Section
from deploykit.parsers.problem import Include, Problem, nearest, printable

__all__ = ["Entry", "FpmConfig", "Include", "Pool", "Problem", "Section", "parse"]

Read = Callable[[str], bytes]
Glob = Callable[[str], Sequence[str]]
MAX_DEPTH = 5
MARK = "\ufeff"
COMMENT_HINT = "a comment begins with ';'"
ADMIN_HINT = "a setting of php.ini goes into php_admin_value[{0}] or php_value[{0}]"


def parse(main: str, read: Read, glob: Glob, environment: Mapping[str, str], prefix: str = "") -> FpmConfig:
    """The configuration that begins with the file ``main``.

    environment: what ``${NAME}`` stands for: php.ini's settings of php-fpm, then the environment of its master.
    prefix: php-fpm's ``-p``, ``""`` without one. Never raises for what is in the files, or for files that are not there.
    """
    reader = _Reader(read, glob, environment, prefix)
    reader.file(main, (), Location(main))
    return reader.result()


class _Gathering:
    """A section that is still being read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.headers: List[Location] = []
        self.entries: List[Entry] = []


class _Reader:
    """Goes through the files; ``pool`` is the section in force, None for ``[global]``."""

    def __init__(self, read: Read, glob: Glob, environment: Mapping[str, str], prefix: str) -> None:
        self.read, self.glob = read, glob
        self.variables = environment.get
        self.prefix = prefix
        self.general = _Gathering("global")
        self.pools: Dict[str, _Gathering] = {}
        self.pool: Optional[_Gathering] = None
        self.problems: List[Problem] = []
        self.includes: List[Include] = []
        self.files: List[str] = []
        self.path = ""
        self.line = 0
        self.quote_open = False

    def result(self) -> FpmConfig:
        general = Section("global", tuple(self.general.headers), tuple(self.general.entries))
        pools = {p.name: Pool(p.name, tuple(p.headers), tuple(p.entries), self.prefix) for p in self.pools.values()}
        late = refused_later(general, tuple(pools.values()))
        problems, includes = tuple(self.problems) + late, tuple(self.includes)
        return FpmConfig(general, pools, problems, includes, tuple(self.files), self.prefix)

    def complain(self, kind: str, message: str, column: int = 0, hint: str = "", severity: str = "error") -> None:
        at = Location(self.path, self.line, column)
        self.problems.append(Problem(kind, severity, printable(message), at, printable(hint)))

    def file(self, path: str, stack: Tuple[str, ...], asked: Location) -> None:
        """Read one file, with all that it includes; ``asked`` is the place that wants it."""
        try:
            content = self.read(path)
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror or error}"
            self.problems.append(Problem("fpm-include-missing", "error", printable(message), asked))
            return
        self.files.append(path)
        for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
            # A carriage return ends a line too, but only for the scanner: what stands behind it counts.
            if line[:1] not in ("", ";") or "\r" in line[:-1]:
                self.path, self.line = path, number
                self.one_line(line, (*stack, path))

    def one_line(self, line: str, stack: Tuple[str, ...]) -> None:
        # Each line reaches PHP as a C string of its own: a NUL ends it, and a byte order mark may begin any of them.
        line = line.partition("\0")[0] if "\0" in line else line + "\n"
        marked = line.startswith(MARK) and len(line) > 1
        statements, refused = scan_line(line[1:] if marked else line, self.variables)
        if self.quote_open:
            # The rest of a value over several lines: what is wrong was said where it began, and it may be a secret.
            self.quote_open = '"' not in line
            if refused or not statements or not self.sensible(statements[0]):
                return
        pattern: Optional[Tuple[str, int]] = None
        for statement in statements:
            if statement.kind == "entry" and statement.name == "include":
                if pattern:
                    self.complain("fpm-syntax", "two includes in one line", statement.column)
                pattern = (statement.value, statement.column)
            else:
                self.statement(statement)
        if refused:
            self.refused(refused, line, refused.column + marked)
        elif pattern:
            self.include(pattern[0], Location(self.path, self.line, pattern[1]), stack)

    def sensible(self, statement: Statement) -> bool:
        """Is this a line that somebody wrote as one, and not the inside of something else?"""
        return (
            statement.kind == SECTION or statement.name.lower() in (POOL if self.pool else GLOBAL) or statement.name in ARRAYS
        )

    def refused(self, reason: RefusedError, line: str, column: int) -> None:
        self.complain("fpm-syntax", reason.message, column, reason.hint)
        self.quote_open = reason.message == OPEN_QUOTE
        header = line.strip(" \t\r\n" + MARK)
        if header.startswith("["):
            # What follows a broken header was meant for that pool: better one error than one for each of its lines.
            self.section(Statement(SECTION, header.strip("[]\"' \t"), "", "", "", False, (), column))

    def include(self, pattern: str, at: Location, stack: Tuple[str, ...]) -> None:
        if not pattern.startswith("/"):
            pattern = f"{self.prefix or BUILD_PREFIX}/{pattern}"
        found = self.matching(pattern, at)
        self.includes.append(Include(pattern, found, at))
        for path in found:
            loop = path in stack
            if loop or len(stack) >= MAX_DEPTH:
                why = "includes itself" if loop else f"is the sixth file of a chain of includes, {MAX_DEPTH} are allowed"
                self.problems.append(Problem("fpm-include-depth", "error", printable(f"{path} {why}"), at))
            else:
                self.file(path, stack, at)

    def matching(self, pattern: str, at: Location) -> Tuple[str, ...]:
        """The files that an include takes in; php-fpm only warns when there are none."""
        try:
            found = tuple(self.glob(pattern))
        except OSError:
            message, severity = f"include of {pattern}: the folder does not exist", "error"
        else:
            if found or pattern.endswith("/"):
                return found
            message, severity = f"include of {pattern} matches no file", "warning"
        self.problems.append(Problem("fpm-include-missing", severity, printable(message), at))
        return ()

    def statement(self, statement: Statement) -> None:
        if statement.kind == SECTION:
            self.section(statement)
        elif statement.kind == BARE:
            self.complain("fpm-syntax", "no '=' in this line", statement.column, _bare_hint(statement))
        elif statement.kind == ARRAY:
            self.array(statement)
        else:
            self.scalar(statement)

    def section(self, statement: Statement) -> None:
        lower = statement.name.lower()
        self.pool = None
        if lower != "global":
            self.pool = self.pools.setdefault(lower, _Gathering(statement.name))
        (self.pool or self.general).headers.append(Location(self.path, self.line, statement.column))

    def scalar(self, statement: Statement) -> None:
        table = POOL if self.pool else GLOBAL
        key = statement.name if statement.name in table else statement.name.lower()
        known = table.get(key)
        if known is None:
            kind = "fpm-syntax" if _is_comment(statement) else "fpm-unknown-directive"
            self.complain(kind, *self.unknown(statement))
            key = statement.name
        self.keep(statement, key, known or Known(text))

    def array(self, statement: Statement) -> None:
        known = ARRAYS.get(statement.name)
        if known is None:
            message, hint = f"unknown directive '{statement.name}[]'", nearest(statement.name, list(ARRAYS))
            self.complain("fpm-unknown-directive", message, statement.column, hint)
        elif self.pool is None:
            message = f"{statement.name}[{statement.bracket}] stands in [global], it belongs into a pool"
            self.complain("fpm-unknown-directive", message, statement.column)
        else:
            kind, message = _array_complaint(statement)
            if kind:
                self.bad(kind, message, statement)
        self.keep(statement, statement.name, known or Known(text))

    def keep(self, statement: Statement, key: str, known: Known) -> None:
        """Add an entry, with ``$pool`` and flags in their final form, and say whether its value is refused."""
        value = statement.value
        gathering = self.pool or self.general
        if "$pool" in value and known.kind is not boolean:
            value = self.expanded(statement, known)
        shown = f"{key}[{statement.bracket}]" if statement.kind == ARRAY else key
        try:
            final = known.kind(value)
        except ValueError as reason:
            self.bad("fpm-bad-value", f"{shown} = {value!r} {reason}", statement)
        else:
            if known.kind is boolean and statement.kind == ARRAY:
                value = "1" if final else "0"
        raw, quoted, unset = statement.raw, statement.quoted, statement.unset
        gathering.entries.append(
            Entry(key, statement.bracket, value, raw, quoted, unset, self.path, self.line, statement.column)
        )

    def bad(self, kind: str, message: str, statement: Statement) -> None:
        """Complain of a value; where it came from a variable that is not set, that is the reason to give."""
        if kind == "fpm-bad-value" and statement.unset:
            kind, message = "fpm-env-unset", f"{message}, and ${{{statement.unset[0]}}} is not set"
        self.complain(kind, message, statement.column)

    def expanded(self, statement: Statement, known: Known) -> str:
        if known.kind in UNEXPANDED:
            return statement.value
        if self.pool is None:
            self.complain("fpm-bad-value", f"{statement.name}: $pool has no meaning in [global]", statement.column)
            return statement.value
        if "$pool" in self.pool.name:
            self.complain("fpm-bad-value", "the pool's own name holds $pool, php-fpm would never end", statement.column)
            return statement.value
        value = statement.value
        while "$pool" in value:
            # Again and again: "$$pool" becomes "$pools" in a pool named "pools", and that is replaced too.
            value = value.replace("$pool", self.pool.name, 1)
        return value

    def unknown(self, statement: Statement) -> Tuple[str, int, str]:
        """Message, column and hint for a name that the section in force does not know."""
        name, lower = statement.name, statement.name.lower()
        where = f"[{self.pool.name}]" if self.pool else "[global]"
        message = f"unknown directive '{name}' in {where}"
        if _is_comment(statement):
            return message, statement.column, COMMENT_HINT
        if lower in (GLOBAL if self.pool else POOL):
            belongs = "belongs into [global]" if self.pool else "belongs into a pool"
            after = ", and the section in force is the last one of the last file included" if self.after_include() else ""
            return message, statement.column, f"it {belongs}{after}"
        if lower in ARRAYS:
            return message, statement.column, f"write {lower}[name] = value"
        hint = nearest(name, list(POOL if self.pool else GLOBAL))
        if not hint and self.pool:
            hint = "include is written in lower case" if lower == "include" else ADMIN_HINT.format(name)
        return message, statement.column, hint

    def after_include(self) -> bool:
        """Did the pool in force begin in another file than the one being read?"""
        return bool(self.pool and self.pool.headers[-1].file != self.path)


UNEXPANDED = frozenset(known.kind for table in (GLOBAL, POOL) for known in table.values()) - {text, POOL["listen.mode"].kind}


def _array_complaint(statement: Statement) -> Tuple[str, str]:
    """(kind, message) of what is wrong with the brackets or with a missing value; ``("", "")`` if nothing is."""
    name, bracket, value = statement.name, statement.bracket, statement.value
    if name == "access.suppress_path":
        if bracket:
            return "fpm-syntax", f"nothing may stand in the brackets of {name}[]"
        return ("", "") if value[:1] == "/" else ("fpm-bad-value", f"{name}[] does not begin with '/'")
    if not bracket:
        return "fpm-syntax", f"{name}[] needs a name in its brackets"
    if name == "env" and not value:
        return "fpm-bad-value", f"env[{bracket}] is empty, which php-fpm refuses"
    return "", ""


def _is_comment(statement: Statement) -> bool:
    return statement.name.startswith(("#", "//"))


def _bare_hint(statement: Statement) -> str:
    if _is_comment(statement):
        return COMMENT_HINT
    return "'' ends a value; an empty one is written \"\"" if statement.name.startswith("'") else ""
