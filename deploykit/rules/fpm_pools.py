"""A pool as a whole: what it must say, and numbers that must agree."""

from __future__ import annotations

from typing import Dict, Iterator, List, Optional, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.parsers.php_fpm_directives import ARRAYS, POOL
from deploykit.parsers.php_fpm_tree import FpmConfig, Pool
from deploykit.rules.pool_examples import a_pool, without
from deploykit.rules.pools import number, pools_of, unread
from deploykit.rules.rule import Example, Found, Subject, Surroundings, finding, rule

SPARE = ("pm.min_spare_servers", "pm.max_spare_servers")
PAIRS = (
    ("pm.min_spare_servers", "pm.max_spare_servers"),
    ("pm.min_spare_servers", "pm.start_servers"),
    ("pm.start_servers", "pm.max_spare_servers"),
    ("pm.max_spare_servers", "pm.max_children"),
    ("pm.min_spare_servers", "pm.max_children"),
)
BLAMED = ("pm.start_servers", "pm.min_spare_servers", "pm.max_spare_servers", "pm.max_children")


@rule(
    "fpm-missing-directive",
    "error",
    bad=Example(fpm=without("listen")),
    good=Example(fpm=a_pool()),
)
def missing_directive(subject: Subject) -> Found:
    """A directive without which php-fpm does not start.

    There must be a pool, and each needs listen, pm and pm.max_children; user too, where php-fpm runs as root; a dynamic one
    pm.min_spare_servers and pm.max_spare_servers; and request_slowlog_timeout needs slowlog. Add the directive.
    """
    if subject.fpm is None:
        return
    if not subject.fpm.pools and subject.fpm.files and not unread(subject.fpm):
        yield finding("fpm-missing-directive", "no pool is defined", _where_pools_belong(subject.fpm), "php-fpm needs one")
    broken = {problem.at.file for problem in subject.fpm.problems if problem.kind == "fpm-syntax"}
    for pool in pools_of(subject):
        # A line that could not be read may be the very one that is missed here.
        if broken.isdisjoint(entry.file for entry in pool.entries) and pool.at.file not in broken:
            for key, at, why in _missing(pool, subject.around):
                yield finding("fpm-missing-directive", f"pool {pool.name} has no {key}{why}", at, f"add {key} = ...")


def _where_pools_belong(fpm: FpmConfig) -> Location:
    empty = [include.at for include in fpm.includes if not include.files]
    return empty[-1] if empty else Location(fpm.files[0])


def _missing(pool: Pool, around: Surroundings) -> Iterator[Tuple[str, Location, str]]:
    wanted = ["listen", "pm", "pm.max_children"]
    if around.as_root:
        wanted.append("user")
    if pool.get("pm") == "dynamic":
        wanted.extend(SPARE)
    for key in wanted:
        if not _said(pool, key, around):
            yield key, pool.at, ", which pm = dynamic needs" if key in SPARE else ""
    slow = pool.entry("request_slowlog_timeout")
    if slow and pool.number("request_slowlog_timeout") and not _said(pool, "slowlog", around):
        yield "slowlog", slow.at, ", which request_slowlog_timeout needs"


def _said(pool: Pool, key: str, around: Surroundings) -> bool:
    """Is it set, or is there an unknown name that was perhaps meant to be it (and is reported as such)?"""
    entry = pool.entry(key)
    if entry and (entry.value or (entry.unset and around.environment is None)):
        return True
    unknown = [e.key for e in pool.entries if e.key not in POOL and e.key not in ARRAYS]
    return bool(unknown) and _near(key, unknown)


def _near(key: str, names: List[str]) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(key, [name.lower() for name in names], 1, 0.75))


@rule(
    "fpm-pm-numbers",
    "error",
    bad=Example(fpm=a_pool("pm = dynamic", "pm.min_spare_servers = 4", "pm.max_spare_servers = 2")),
    good=Example(fpm=a_pool("pm = dynamic", "pm.min_spare_servers = 2", "pm.max_spare_servers = 4")),
)
def pm_numbers(subject: Subject) -> Found:
    """Numbers of workers that contradict each other.

    pm.max_children is at least 1, and with pm = dynamic
    1 <= pm.min_spare_servers <= pm.start_servers <= pm.max_spare_servers <= pm.max_children. Otherwise php-fpm does not start.
    """
    for pool in pools_of(subject):
        numbers = _numbers(pool)
        found = _too_small(pool, numbers) or (_contradiction(pool, numbers) if pool.get("pm") == "dynamic" else None)
        if found:
            yield found


def _numbers(pool: Pool) -> Dict[str, int]:
    known = {key: number(pool, key) for key in BLAMED}
    if (known["pm.start_servers"] or 0) <= 0:
        # php-fpm chooses a number between the two others.
        known["pm.start_servers"] = None
    return {key: value for key, value in known.items() if value is not None}


def _too_small(pool: Pool, numbers: Dict[str, int]) -> Optional[Finding]:
    checked = ["pm.max_children"]
    manager = pool.get("pm")
    if manager == "dynamic":
        checked += [*SPARE, "pm.max_spawn_rate"]
    if manager == "ondemand":
        checked.append("pm.process_idle_timeout")
    for key in checked:
        value, entry = number(pool, key), pool.entry(key)
        if entry and entry.value and value is not None and value < 1:
            return finding("fpm-pm-numbers", f"pool {pool.name}: {key} is {value}, it must be at least 1", entry.at)
    return None


def _contradiction(pool: Pool, numbers: Dict[str, int]) -> Optional[Finding]:
    wrong = [(low, high) for low, high in PAIRS if low in numbers and high in numbers and numbers[low] > numbers[high]]
    if not wrong:
        return None
    # The number that takes part in most contradictions is the one to look at.
    blamed = max(BLAMED, key=lambda key: sum(key in pair for pair in wrong))
    low, high = next(pair for pair in wrong if blamed in pair)
    entry = pool.entry(blamed)
    message = f"pool {pool.name}: {low} ({numbers[low]}) is greater than {high} ({numbers[high]})"
    hint = "1 <= min_spare <= start <= max_spare <= max_children"
    return finding("fpm-pm-numbers", message, entry.at if entry else pool.at, hint)


@rule(
    "fpm-status-ping",
    "warning",
    bad=Example(fpm=a_pool("pm.status_path = /health", "ping.path = /health")),
    good=Example(fpm=a_pool("pm.status_path = /status", "ping.path = /ping")),
)
def status_ping(subject: Subject) -> Found:
    """pm.status_path and ping.path are the same.

    The path answers pong and nobody can read the status page. Give each a path of its own.
    """
    for pool in pools_of(subject):
        ping = pool.entry("ping.path")
        same = ping and ping.value and ping.value == pool.text("pm.status_path")
        if ping and same and not pool.text("pm.status_listen"):
            message = f"pool {pool.name}: ping.path and pm.status_path are both {ping.value}"
            yield finding("fpm-status-ping", message, ping.at, "the status page cannot be reached there: choose another path")
