"""What several rules ask of php-fpm's pools."""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from deploykit.errors import Location
from deploykit.parsers.php_fpm_tree import Entry, FpmConfig, Pool, Section
from deploykit.rules.rule import Subject

FLAGS = {"php_flag": "php_value", "php_admin_flag": "php_admin_value"}
INI_KEYS = ("php_value", "php_admin_value", "php_flag", "php_admin_flag")
FALSE_WORDS = ("false", "off", "no", "none", "null")


def pools_of(subject: Subject) -> Sequence[Pool]:
    """All pools in their order, none where there is no php-fpm configuration."""
    return tuple(subject.fpm.pools.values()) if subject.fpm else ()


def number(section: Section, key: str) -> Optional[int]:
    """The number (seconds for times) in effect where it is set, known and taken by php-fpm, else None."""
    entry = section.entry(key)
    if entry is None or entry.unset or not entry.value:
        return None
    try:
        value = section.table[key].kind(entry.value)
    except ValueError:
        return None
    return value if isinstance(value, int) else None


def fits(section: Section, key: str) -> bool:
    """Is the number as written one that php-fpm can hold? Another one is fpm-number-range's business."""
    entry = section.entry(key)
    return entry is not None and len(entry.value.lstrip("0")) <= 10 and str(number(section, key)) == entry.value.lstrip("0")


def in_effect(section: Section) -> Iterable[Entry]:
    """The entries of plain directives that count: the last of each, in their order."""
    return [entry for entry in section.entries if section.entry(entry.key) is entry]


def sections(section: Section) -> List[Tuple[Location, List[Entry]]]:
    """The entries of a pool by the header under which they stand; a header read twice counts once.

    What an included file says before its first header is a section of its own, at the beginning of that file.
    """
    found: Dict[Location, List[Entry]] = {header: [] for header in section.headers}
    for entry in section.entries:
        found.setdefault(_header(section, entry), []).append(entry)
    return list(found.items())


def _header(section: Section, entry: Entry) -> Location:
    above = [at for at in section.headers if at.file == entry.file and at.line <= entry.line]
    return max(above, key=lambda at: at.line) if above else Location(entry.file)


def unread(fpm: FpmConfig) -> bool:
    """Is a part of the configuration missing here, so that nobody can say what is not in it?"""
    return any(problem.kind in ("fpm-include-missing", "fpm-include-depth") for problem in fpm.errors)
