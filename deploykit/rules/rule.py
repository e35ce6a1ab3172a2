"""What a rule is, and what it looks at.

A rule is a function from a ``Subject`` to findings, registered under its id with a severity, an explanation (its docstring)
and two examples, one that it reports and one that it does not: the examples are its documentation and its test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.parsers.nginx_tree import NginxConfig
from deploykit.parsers.php_fpm_tree import FpmConfig

Exists = Callable[[str], Optional[bool]]


@dataclass(frozen=True)
class Surroundings:
    """What a rule may know besides the text. None means "not known here", and then nothing is said.

    accounts, groups: names that exist; groups_of: account -> names of its groups. addresses: IP addresses of the machine.
    exists: is there a file or folder at this live path? names: names in a live folder. nginx_version as (1, 22, 1);
    nginx_modules: names of modules built in or loadable. open_files: the service's limit; nr_open, somaxconn: the kernel's.
    memory_mb: of the machine. environment: variables of php-fpm's service. artifact: does the application have this live
    path? resolve: does this host name resolve? behind_load_balancer: does one end TLS before nginx? today: seconds since 1970.
    """

    accounts: Optional[frozenset[str]] = None
    groups: Optional[frozenset[str]] = None
    groups_of: Optional[Mapping[str, frozenset[str]]] = None
    addresses: Optional[frozenset[str]] = None
    exists: Optional[Exists] = None
    names: Optional[Callable[[str], Optional[Sequence[str]]]] = None
    read: Optional[Callable[[str], Optional[bytes]]] = None
    nginx_version: Optional[Tuple[int, ...]] = None
    nginx_modules: Optional[frozenset[str]] = None
    php_version: Optional[Tuple[int, ...]] = None
    open_files: Optional[int] = None
    nr_open: Optional[int] = None
    somaxconn: Optional[int] = None
    memory_mb: Optional[int] = None
    environment: Optional[Mapping[str, str]] = None
    resolve: Optional[Callable[[str], Optional[bool]]] = None
    behind_load_balancer: Optional[bool] = None
    today: Optional[float] = None
    as_root: bool = True


@dataclass(frozen=True)
class Subject:
    """The configuration of both services as parsed trees; either may be missing.

    texts: what stands in the files that were read, by path, for rules that look at characters; those without one are skipped.
    """

    nginx: Optional[NginxConfig] = None
    fpm: Optional[FpmConfig] = None
    around: Surroundings = field(default_factory=Surroundings)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A small configuration: the text of nginx.conf, of php-fpm.conf, or both; around: what it needs to know besides.

    files: further files of it, by absolute path; nginx's own ``fastcgi_params`` need not be among them.
    """

    nginx: str = ""
    fpm: str = ""
    around: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One registered rule. severity is the usual one; a finding may carry another."""

    id: str
    severity: str
    explanation: str
    find: Callable[[Subject], Iterator[Finding]]
    bad: Example
    good: Example


RULES: Dict[str, Rule] = {}

Found = Iterator[Finding]
Find = Callable[[Subject], Found]


def rule(id: str, severity: str, *, bad: Example, good: Example) -> Callable[[Find], Find]:
    """Register a function as a rule; its docstring is the explanation that ``deploykit docs rules/ID`` shows."""

    def register(function: Find) -> Find:
        RULES[id] = Rule(id, severity, function.__doc__ or "", function, bad, good)
        return function

    return register


def finding(id: str, message: str, at: Optional[Location], hint: str = "", severity: str = "") -> Finding:
    """A finding of the rule ``id``, with the rule's own severity unless another is given."""
    return Finding(id, severity or RULES[id].severity, message, at, hint)
