"""Configurations of both services as text, judged by single rules."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Tuple

from deploykit.model import Finding
from deploykit.parsers import nginx, php_fpm
from deploykit.parsers.tree import Tree
from deploykit.rules.all import load
from deploykit.rules.rule import Example, Subject, Surroundings

NGINX = "/etc/nginx/nginx.conf"
FPM = "/etc/php/8.2/fpm/php-fpm.conf"


def subject(example: Example, files: Optional[Mapping[str, str]] = None) -> Subject:
    """Both trees of an example; ``files`` lie beside its main files, by absolute path."""
    texts = {NGINX: example.nginx, FPM: example.fpm, **(files or {})}
    tree = Tree({path: text.encode() for path, text in texts.items() if text}, ("/etc/php/8.2/fpm/pool.d", "/usr"))
    around = Surroundings(**example.around)
    fpm = php_fpm.parse(FPM, tree.read, tree.glob, around.environment or {}) if example.fpm else None
    return Subject(nginx.parse(NGINX, tree.read, tree.glob) if example.nginx else None, fpm, around)


def found(name: str, example: Example, files: Optional[Mapping[str, str]] = None) -> List[Finding]:
    """What one rule says."""
    return list(load()[name].find(subject(example, files)))


def lines(name: str, fpm: str, nginx: str = "", files: Optional[Mapping[str, str]] = None, **around: Any) -> List[str]:
    """What one rule says, as ``severity line`` (with the file in front where it is not php-fpm's main file)."""
    told = []
    for finding in found(name, Example(nginx, fpm, around), files):
        file, line = (finding.at.file, finding.at.line) if finding.at else ("", 0)
        place = "" if file == FPM else "nginx " if file == NGINX else f"{file.rpartition('/')[2]} "
        told.append(f"{finding.severity} {place}{line}")
    return told


def loud(fpm: str, nginx: str = "", **around: Any) -> List[Tuple[str, str]]:
    """Rule and message of every error and warning of php-fpm's own rules and of those on both services."""
    judged = subject(Example(nginx, fpm, around))
    told = [f for name, rule in load().items() if name.startswith(("fpm-", "pair-")) for f in rule.find(judged)]
    return [(f.rule, f.message) for f in told if f.severity != "info"]
