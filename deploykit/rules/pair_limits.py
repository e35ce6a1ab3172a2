"""Limits of nginx, of php-fpm and of PHP that must be in order, and what the machine can carry."""

from __future__ import annotations

from typing import Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from deploykit.errors import Location
from deploykit.parsers.php_fpm_tree import Pool
from deploykit.rules import php_ini
from deploykit.rules.fastcgi import Passing, seconds, size, wiring
from deploykit.rules.pool_examples import a_pool, a_site
from deploykit.rules.pools import fits, number, pools_of
from deploykit.rules.rule import Example, Found, Subject, finding, rule

CHILD_MB = 40
BODY = 2**20
READ_TIMEOUT = 60.0
EXECUTION = 30


class Limit(NamedTuple):
    """One limit in effect: its name, its value, and where it is set (None: a default)."""

    name: str
    value: float
    text: str
    at: Optional[Location]


@rule(
    "pair-body-size",
    "warning",
    bad=Example(nginx=a_site("client_max_body_size 8m;"), fpm=a_pool("php_admin_value[post_max_size] = 64M")),
    good=Example(nginx=a_site("client_max_body_size 64m;"), fpm=a_pool("php_admin_value[post_max_size] = 64M")),
)
def body_size(subject: Subject) -> Found:
    """Sizes of requests that are out of order.

    upload_max_filesize <= post_max_size <= nginx's client_max_body_size (1m unless set), and post_max_size <= memory_limit. A
    request that is too large for nginx gets 413; one that is too large for post_max_size gets to the application with
    nothing in it. Raise the smaller one. Two defaults are not compared; where the larger one is a default it is an info.
    """
    reached, defaults = wiring(subject).reached, php_ini.sizes(subject)
    for pool in pools_of(subject):
        passings = [p for p in reached.get(pool.name, ()) if not p.sets("post_max_size")]
        for larger, smaller in _out_of_order(pool, passings, defaults):
            # The line to look at is the one that is too small, where there is one.
            message = f"{larger.name} ({larger.text}) is more than {smaller.name} ({smaller.text})"
            default = "" if smaller.at else ", its default"
            severity = "" if larger.at else "info"
            yield finding("pair-body-size", message + default, smaller.at or larger.at, f"raise {smaller.name}", severity)


def _out_of_order(pool: Pool, passings: Sequence[Passing], defaults: Mapping[str, str]) -> Iterator[Tuple[Limit, Limit]]:
    upload, post, memory = (_ini_size(pool, *default) for default in defaults.items())
    pairs: List[Tuple[Optional[Limit], Optional[Limit]]] = [(upload, post), (post, memory), (post, _body(passings))]
    for larger, smaller in pairs:
        if larger and smaller and (larger.at or smaller.at) and 0 < smaller.value < larger.value:
            yield larger, smaller


def _ini_size(pool: Pool, name: str, default: str) -> Optional[Limit]:
    entry = pool.ini().get(name)
    text = entry.value if entry else default
    value = php_ini.size(text)
    return None if value is None or (entry and entry.unset) else Limit(name, value, text, entry.at if entry else None)


def _body(passings: Sequence[Passing]) -> Optional[Limit]:
    """The largest body that nginx lets through to the pool; None where there is no limit, or no way."""
    limits: List[Limit] = []
    for passing in passings:
        directive = passing.first("client_max_body_size")
        value = size(directive.args[0]) if directive else BODY
        if not value:
            return None
        text = directive.args[0] if directive else "1m"
        limits.append(Limit("client_max_body_size", value, text, directive.at if directive else None))
    return max(limits, key=lambda limit: limit.value) if limits else None


@rule(
    "pair-timeouts",
    "warning",
    bad=Example(nginx=a_site(), fpm=a_pool("request_terminate_timeout = 300s")),
    good=Example(nginx=a_site("fastcgi_read_timeout 300s;"), fpm=a_pool("request_terminate_timeout = 300s")),
)
def timeouts(subject: Subject) -> Found:
    """Times that are out of order.

    max_execution_time <= request_terminate_timeout <= nginx's fastcgi_read_timeout (60s unless set). nginx gives up with 504
    while the worker goes on; php-fpm kills a worker in the middle, which is a 502, before PHP could end it decently. Raise
    the smaller one. Less than PHP's own 30 s, where the pool says nothing, is an info. A load balancer's idle timeout must
    be longer still, it is not judged here.
    """
    reached = wiring(subject).reached
    for pool in pools_of(subject):
        passings = [p for p in reached.get(pool.name, ()) if not p.sets("max_execution_time")]
        execution, end, wait = _execution(pool), _terminate(pool), _read_timeout(passings)
        longest = end or execution
        pairs = ((execution, end), (longest, wait))
        for longer, shorter in pairs:
            if longer and shorter and (longer.at or shorter.at) and shorter.value < longer.value:
                message = f"{longer.name} ({longer.text}) is longer than {shorter.name} ({shorter.text})"
                default, severity = "" if shorter.at else ", its default", "" if longer.at else "info"
                yield finding("pair-timeouts", message + default, shorter.at or longer.at, f"raise {shorter.name}", severity)


def _execution(pool: Pool) -> Optional[Limit]:
    entry = pool.ini().get("max_execution_time")
    if entry is None:
        return Limit("max_execution_time", EXECUTION, f"{EXECUTION} s", None)
    value = entry.value.strip()
    if not value.isdigit() or not int(value):
        return None
    return Limit("max_execution_time", int(value), f"{value} s", entry.at)


def _terminate(pool: Pool) -> Optional[Limit]:
    entry, value = pool.entry("request_terminate_timeout"), number(pool, "request_terminate_timeout")
    return Limit("request_terminate_timeout", value, f"{value} s", entry.at) if entry and value and value > 0 else None


def _read_timeout(passings: Sequence[Passing]) -> Optional[Limit]:
    """The longest time that nginx waits for the pool."""
    limits: List[Limit] = []
    for passing in passings:
        directive = passing.first("fastcgi_read_timeout")
        value = seconds(directive.args[0]) if directive else READ_TIMEOUT
        if value is not None:
            text = directive.args[0] if directive else "60s"
            limits.append(Limit("fastcgi_read_timeout", value, text, directive.at if directive else None))
    return max(limits, key=lambda limit: limit.value) if limits else None


@rule(
    "pair-memory",
    "warning",
    bad=Example(fpm=a_pool("pm.max_children = 500"), around={"memory_mb": 4096}),
    good=Example(fpm=a_pool("pm.max_children = 50"), around={"memory_mb": 4096}),
)
def memory(subject: Subject) -> Found:
    """More workers than the machine has memory for.

    The sum of pm.max_children of all pools, times 40 MB for a worker (less where memory_limit is less), is more than the
    machine's memory: under load it swaps, and the kernel kills processes. Lower pm.max_children; php_children in a template
    works it out. Judged only where the memory is known.
    """
    available = subject.around.memory_mb
    pools = pools_of(subject)
    if not available or not pools:
        return
    sums = [(max(_children(pool), 0) * _child_mb(pool), pool) for pool in pools]
    needed = sum(megabytes for megabytes, _ in sums)
    if needed > available:
        greatest = max(sums, key=lambda pair: pair[0])[1]
        entry = greatest.entry("pm.max_children")
        count = sum(map(_children, pools))
        message = (
            f"{count} workers at {needed / max(count, 1):.0f} MB each need {needed:.0f} MB, the machine has {available} MB"
        )
        yield finding("pair-memory", message, entry.at if entry else greatest.at, "lower pm.max_children")


def _children(pool: Pool) -> int:
    return number(pool, "pm.max_children") or 0 if fits(pool, "pm.max_children") else 0


def _child_mb(pool: Pool) -> float:
    entry = pool.ini().get("memory_limit")
    limit = php_ini.size(entry.value) if entry else None
    return min(CHILD_MB, limit / 2**20) if limit else CHILD_MB


@rule(
    "pair-backlog",
    "info",
    bad=Example(fpm=a_pool("listen.backlog = 65535"), around={"somaxconn": 4096}),
    good=Example(fpm=a_pool("listen.backlog = 1024"), around={"somaxconn": 4096}),
)
def backlog(subject: Subject) -> Found:
    """listen.backlog is more than the kernel's net.core.somaxconn.

    The kernel cuts it without a word. Raise somaxconn, or leave listen.backlog out: it is as large as possible then. Judged
    only where the limit is known.
    """
    most = subject.around.somaxconn
    for pool in pools_of(subject) if most is not None else ():
        entry, wanted = pool.entry("listen.backlog"), number(pool, "listen.backlog")
        if entry and wanted and most is not None and wanted > most:
            message = f"listen.backlog is {wanted}, the kernel cuts it to {most} (net.core.somaxconn)"
            yield finding("pair-backlog", message, entry.at, "raise net.core.somaxconn, or leave listen.backlog out")
