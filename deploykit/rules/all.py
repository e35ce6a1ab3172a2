"""Every rule, and the judge that asks them all."""

from __future__ import annotations

from importlib import import_module
from typing import Iterator, List, Mapping, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.rules.rule import RULES, Rule, Subject

MODULES = (
    "render",
    "nginx_access",
    "nginx_certificate_files",
    "nginx_cycles",
    "nginx_disclosure",
    "nginx_headers",
    "nginx_includes",
    "nginx_locations",
    "nginx_machine",
    "nginx_names",
    "nginx_php",
    "nginx_redirects",
    "nginx_roots",
    "nginx_scripts",
    "nginx_servers",
    "nginx_syntax",
    "nginx_tls",
    "nginx_upstreams",
    "nginx_values",
    "fpm_accounts",
    "fpm_ini",
    "fpm_limits",
    "fpm_listen",
    "fpm_paths",
    "fpm_pools",
    "fpm_syntax",
    "fpm_twice",
    "fpm_values",
    "pair_limits",
    "pair_paths",
    "pair_socket",
)


def load() -> Mapping[str, Rule]:
    """All rules by id, in the order in which they are documented."""
    for name in MODULES:
        import_module(f"deploykit.rules.{name}")
    return RULES


def judge(subject: Subject) -> Tuple[Finding, ...]:
    """What all rules find, each thing once, sorted by place; what has no place comes last.

    A rule that breaks down is our fault and stops no deployment: it becomes an ``info`` finding ``rule-failed``.
    """
    found: List[Finding] = []
    for rule in load().values():
        found += _asked(rule, subject)
    return tuple(sorted(dict.fromkeys(found), key=_place))


def _asked(rule: Rule, subject: Subject) -> Iterator[Finding]:
    try:
        yield from rule.find(subject)
    except Exception as error:
        message = f"the rule {rule.id} broke down: {type(error).__name__}: {error}"
        yield Finding("rule-failed", "info", message, None, "this is a fault of deploykit: please report it")


def _place(finding: Finding) -> Tuple[bool, str, int, int, str]:
    at = finding.at or Location("")
    return finding.at is None, at.file, at.line, at.column, finding.rule
