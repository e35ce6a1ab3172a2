"""The weakest judge: what our parsers alone can say of a candidate, where nginx and php-fpm are not installed."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import Iterable, Iterator, List, Protocol, Sequence, Tuple

from deploykit.model import Finding, Settings
from deploykit.parsers.problem import Problem
from deploykit.services import nginx_tree
from deploykit.services.messages import HINTS, Mapper


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
        yield from _said(nginx.parse(main, view.read, lambda pattern: matches(pattern, view)).problems, find)
    main = settings.services["php-fpm"].main
    if view.has(main):
        yield from _said(php_fpm.parse(main, view.read, lambda pattern: matches(pattern, view), {}).problems, find)


def _said(problems: Iterable[Problem], find: Mapper) -> Iterator[Finding]:
    for problem in problems:
        # What the service's environment holds is not known here, so a variable that is unset is no error yet.
        severity = "warning" if problem.kind == "fpm-env-unset" else problem.severity
        yield Finding(problem.kind, severity, problem.message, find.at(problem.at.file, problem.at.line), problem.hint)


def lost_sockets(settings: Settings, view: View, find: Mapper) -> Iterator[Finding]:
    """Unix sockets that nginx asks and no pool listens at: what a rehearsal would have noticed.

    Only judged where php-fpm's whole configuration is there to be read; a socket of another program is none of our business.
    """
    from deploykit.parsers import php_fpm

    main = settings.services["php-fpm"].main
    if not view.has(main):
        return
    config = php_fpm.parse(main, view.read, lambda pattern: matches(pattern, view), {})
    heard = {f"unix:{pool.listen}" for pool in config.pools.values() if pool.listen.startswith("/")}
    for address in nginx_tree.fastcgi_addresses(nginx_tree.texts(settings.services["nginx"].main, view.read, view.names)):
        if address.startswith("unix:") and address not in heard and not view.has(address[len("unix:") :]):
            message = f"{address}: no pool of php-fpm listens there"
            yield Finding("pair-socket", "error", message, find.by_text(address), HINTS["fastcgi-address"])


def matches(pattern: str, view: View) -> Sequence[str]:
    """Paths in the candidate that a glob matches, sorted."""
    folder, name = posixpath.split(pattern)
    if not any(c in pattern for c in "*?["):
        return [pattern] if view.has(pattern) else []
    folders = matches(folder, view) if any(c in folder for c in "*?[") else [folder]
    found: List[str] = []
    for one in folders:
        found += [
            f"{one}/{n}" for n in view.names(one) if fnmatch.fnmatchcase(n, name) and n.startswith(".") <= name.startswith(".")
        ]
    return sorted(found)
