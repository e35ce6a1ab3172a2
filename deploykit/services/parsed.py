"""The weakest judge: what our parsers alone can say of a candidate, where nginx and php-fpm are not installed."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import Iterator, List, Protocol, Sequence, Tuple

from deploykit.model import Finding, Settings
from deploykit.services.messages import Mapper


class View(Protocol):
    """The candidate as a tree of files."""

    def has(self, path: str) -> bool: ...

    def read(self, path: str) -> bytes: ...

    def names(self, folder: str) -> Tuple[str, ...]: ...


def findings(settings: Settings, view: View, find: Mapper) -> Iterator[Finding]:
    """Syntax errors of both services' files, at the templates' lines."""
    from deploykit.parsers import nginx, php_fpm

    main = settings.services["nginx"].main
    if view.has(main):
        for problem in nginx.parse(main, view.read, lambda pattern: matches(pattern, view)).problems:
            yield Finding(problem.kind, "error", problem.message, find.at(problem.at.file, problem.at.line))
    main = settings.services["php-fpm"].main
    if view.has(main):
        for wrong in php_fpm.parse(main, view.read, lambda pattern: matches(pattern, view), {}).problems:
            yield Finding(wrong.kind, "error", wrong.message, find.at(wrong.at.file, wrong.at.line))


def matches(pattern: str, view: View) -> Sequence[str]:
    """Paths in the candidate that a glob matches, sorted."""
    folder, name = posixpath.split(pattern)
    if not any(c in pattern for c in "*?["):
        return [pattern] if view.has(pattern) else []
    folders = matches(folder, view) if any(c in folder for c in "*?[") else [folder]
    found: List[str] = []
    for one in folders:
        found += [f"{one}/{n}" for n in view.names(one) if fnmatch.fnmatchcase(n, name) and n.startswith(".") <= name.startswith(".")]
    return sorted(found)
