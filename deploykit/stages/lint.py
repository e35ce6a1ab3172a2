"""Judge a whole tree of files by rules: what ``nginx -t`` and ``php-fpm -t`` cannot see."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from deploykit.model import Finding
from deploykit.parsers import nginx, php_fpm
from deploykit.parsers.tree import Tree
from deploykit.rules.all import judge
from deploykit.rules.rule import Subject, Surroundings

_IGNORE = re.compile(r"deploykit:ignore\s+(?P<rules>[a-z0-9, -]+?)(?:\s*[:(]\s*(?P<reason>.+?)\)?)?\s*$")
Outside = Callable[[str], Optional[bytes]]


def lint(files: Mapping[str, bytes], mains: Mapping[str, str], around: Surroundings, outside: Outside) -> Tuple[Finding, ...]:
    """Findings of every rule, at the paths and lines of these files.

    files: by absolute live path. mains: service -> its main file; a service without one is not judged. outside: bytes of a
    file that is no part of the tree, None where nobody knows; includes of such files are then no mistake.
    """
    tree = _Outer(files, outside)
    web = nginx.parse(mains["nginx"], tree.read, tree.glob) if mains.get("nginx") in files else None
    fpm = None
    if mains.get("php-fpm") in files:
        fpm = php_fpm.parse(mains["php-fpm"], tree.read, tree.glob, around.environment or {})
    texts = {path: content.decode("utf-8", "replace") for path, content in files.items()}
    found = judge(Subject(web, fpm, around, texts))
    return tuple(_without_ignored(found, files))


class _Outer(Tree):
    """The tree, and behind it what lies outside."""

    def __init__(self, files: Mapping[str, bytes], outside: Outside) -> None:
        super().__init__(files)
        self._outside = outside

    def read(self, path: str) -> bytes:
        try:
            return super().read(path)
        except FileNotFoundError:
            content = self._outside(path)
            if content is None:
                raise
            return content

    def glob(self, pattern: str) -> Sequence[str]:
        try:
            return super().glob(pattern)
        except FileNotFoundError:
            if self._outside(pattern) is None:
                raise
            return [pattern]


def _without_ignored(found: Sequence[Finding], files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Leave out what a comment on the same line or the one above asks to ignore; such a comment must give a reason."""
    lines: Dict[str, Sequence[str]] = {}
    for finding in found:
        at = finding.at
        if at is None or not at.line or at.file not in files:
            yield finding
            continue
        if at.file not in lines:
            lines[at.file] = files[at.file].decode("utf-8", "replace").splitlines()
        asked = _asked(lines[at.file][max(at.line - 2, 0) : at.line], finding.rule)
        if asked is None:
            yield finding
        elif not asked:
            hint = f"write: # deploykit:ignore {finding.rule}: why it is right here"
            yield replace(finding, severity="warning", message=f"{finding.message} (ignored without a reason)", hint=hint)


def _asked(lines: Sequence[str], rule: str) -> Optional[str]:
    """The reason for which a rule is to be ignored, ``""`` when none is given, None when it is not to be."""
    for line in lines:
        found = _IGNORE.search(line)
        if found and rule in re.split(r"[ ,]+", found["rules"]):
            return found["reason"] or ""
    return None
