"""php-fpm's configuration as it is in effect, with every line that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

from deploykit.errors import Location
from deploykit.parsers.php_fpm_directives import ARRAYS, GLOBAL, PATH_VALUES, POOL, Known, Value, typed
from deploykit.parsers.problem import Include, Problem

BUILD_PREFIX = "/usr"
LOCAL_STATE = "/var"
FLAGS = {"php_value": "php_flag", "php_admin_value": "php_admin_flag"}


class Entry(NamedTuple):
    """One ``name = value`` as it was read.

    key: the directive's name as the tables spell it (as written where no table knows it). bracket: what stood in
    the brackets of an array. value: what php-fpm holds, constants, quotes and ``$pool`` resolved. raw: everything behind
    ``=`` as written, comment included. quoted: the value is one pair of double quotes. unset: names in ``${...}``
    without a value, they became nothing. line and column count from 1.
    """

    key: str
    bracket: str
    value: str
    raw: str
    quoted: bool
    unset: Tuple[str, ...]
    file: str
    line: int
    column: int

    @property
    def at(self) -> Location:
        return Location(self.file, self.line, self.column)


class Section:
    """Entries that belong together. All of them are kept, those that are not in effect too."""

    def __init__(self, name: str, headers: Tuple[Location, ...], entries: Tuple[Entry, ...]) -> None:
        self.name = name
        self.headers = headers
        self.entries = entries
        self._last: Dict[str, Entry] = {entry.key: entry for entry in entries if entry.key not in ARRAYS}

    table: Mapping[str, Known] = GLOBAL

    def entry(self, key: str) -> Optional[Entry]:
        """The entry that is in effect for a directive: the last one. None when nobody set it."""
        return self._last.get(key)

    def get(self, key: str) -> Value:
        """The value in effect, as php-fpm holds it (seconds, numbers, booleans), or the default; KeyError if unknown."""
        self.table[key]
        entry = self._last.get(key)
        return typed(self.table, key, entry.value if entry else None)

    def text(self, key: str) -> str:
        """The value in effect as text, ``""`` when it is not set and has no default."""
        value = self.get(key)
        return "" if value is None else str(value)

    def number(self, key: str) -> int:
        """The value in effect as a number (seconds for times); 0 when it is not set and has no default."""
        value = self.get(key)
        return value if isinstance(value, int) else 0


class Pool(Section):
    """One pool, all its sections in all files merged. headers: where those begin."""

    table = POOL

    def __init__(self, name: str, headers: Tuple[Location, ...], entries: Tuple[Entry, ...], prefix: str = "") -> None:
        super().__init__(name, headers, entries)
        self._given_prefix = prefix

    @property
    def at(self) -> Location:
        """The first header."""
        return self.headers[0]

    @property
    def prefix(self) -> str:
        """The folder below which relative paths of this pool lie."""
        own = self.entry("prefix")
        outer = self._given_prefix or BUILD_PREFIX
        return outer if own is None else _below(outer, own.value) if own.value else ""

    @property
    def listen(self) -> str:
        """Where the pool listens: an absolute path, a port, or ``host:port``; ``""`` when it does not say."""
        address = self.text("listen")
        return self.path("listen") if address and not is_network(address) else address

    @property
    def socket(self) -> str:
        """Path of the unix socket, ``""`` for a pool that listens on the network."""
        return "" if is_network(self.text("listen")) else self.listen

    def path(self, key: str) -> str:
        """A directive that names a path, made absolute; ``""`` when it is not set."""
        value = self.text(key)
        if key == "chroot" and value.startswith("$prefix"):
            value = value[len("$prefix") :]
            return f"{self.prefix}/{value}" if value else self.prefix
        return _below(self.prefix, value) if value else ""

    def array(self, name: str) -> Dict[str, Entry]:
        """What is in effect of an array, by index: the first of each. Flags stand among the values, ``1`` or ``0``."""
        wanted = (name, FLAGS.get(name))
        found: Dict[str, Entry] = {}
        for entry in self.entries:
            if entry.key in wanted:
                found.setdefault(entry.bracket, entry)
        return found

    def ini(self) -> Dict[str, Entry]:
        """php.ini settings that the pool makes, by name; an admin value beats the other kind."""
        return {**self.array("php_value"), **self.array("php_admin_value")}

    def ini_value(self, name: str) -> Optional[str]:
        """One of them as PHP sees it: relative paths are completed with the prefix. None when the pool does not set it."""
        entry = self.ini().get(name)
        if entry is None:
            return None
        relative = name.lower() in PATH_VALUES and entry.value[:1] != "/" and not self.text("chroot")
        to_syslog = name.lower() == "error_log" and entry.value.lower() == "syslog" and entry.key.startswith("php_admin")
        return _below(self.prefix, entry.value) if relative and entry.value and not to_syslog else entry.value

    @property
    def first_workers(self) -> int:
        """How many workers the pool starts with."""
        manager = self.get("pm")
        if manager == "static":
            return self.number("pm.max_children")
        if manager != "dynamic":
            return 0
        low, high = self.number("pm.min_spare_servers"), self.number("pm.max_spare_servers")
        return self.number("pm.start_servers") or low + (high - low) // 2


@dataclass(frozen=True)
class FpmConfig:
    """A whole configuration. pools: by name as first written, in their order. files: all that were read, main first.

    problems: everything that php-fpm would refuse or warn of, in the order of reading. php-fpm stops at the first error,
    this goes on, so what follows one is a best guess.
    """

    general: Section
    pools: Mapping[str, Pool]
    problems: Tuple[Problem, ...]
    includes: Tuple[Include, ...]
    files: Tuple[str, ...]
    prefix: str = ""

    def get(self, key: str) -> Value:
        """A directive of ``[global]`` as php-fpm holds it, or its default."""
        return self.general.get(key)

    def path(self, key: str) -> str:
        """``pid`` or ``error_log``, made absolute; ``""`` when it is not set; ``syslog`` stays as it is."""
        value = self.general.text(key)
        if not value or (key == "error_log" and value.lower() == "syslog"):
            return value
        return _below(self.prefix or LOCAL_STATE, value)

    @property
    def errors(self) -> Tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def is_network(address: str) -> bool:
    """Does php-fpm take this ``listen`` for a port or host:port? Any colon makes it so, digits alone too."""
    return ":" in address or (address.isascii() and address.isdigit())


def _below(prefix: str, path: str) -> str:
    return path if path.startswith("/") else f"{prefix}/{path}"
