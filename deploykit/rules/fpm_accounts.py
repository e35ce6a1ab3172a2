"""Accounts and groups that pools name."""

from __future__ import annotations

from typing import FrozenSet, Iterator, Optional, Tuple

from deploykit.parsers.php_fpm_tree import Entry, Pool
from deploykit.rules.pool_examples import a_pool
from deploykit.rules.pools import pools_of
from deploykit.rules.rule import Example, Found, Subject, Surroundings, finding, rule

NAMED = (("user", "accounts"), ("group", "groups"), ("listen.owner", "accounts"), ("listen.group", "groups"))
LISTED = (("listen.acl_users", "accounts"), ("listen.acl_groups", "groups"))
WHAT = {"accounts": "account", "groups": "group"}
HERE = {"accounts": frozenset(("root", "www-data")), "groups": frozenset(("root", "www-data"))}


@rule(
    "fpm-account-missing",
    "error",
    bad=Example(fpm=a_pool("group = nosuch"), around=HERE),
    good=Example(fpm=a_pool(), around=HERE),
)
def account_missing(subject: Subject) -> Found:
    """An account or a group that does not exist.

    php-fpm does not start; for the lists listen.acl_users and listen.acl_groups its own test does not notice. Names in a list
    are divided by commas alone, a blank belongs to the name. Create the account before, or correct the name. Judged only where
    the machine's accounts are known.
    """
    for pool in pools_of(subject):
        for entry, kind, name in _names(pool, subject.around.as_root):
            if name not in (_there(subject.around, kind) or (name,)):
                message = f"{entry.key}: the {WHAT[kind]} {name!r} does not exist"
                blank = name != name.strip()
                hint = "names in a list are divided by commas, without blanks" if blank else "create it, or correct the name"
                yield finding("fpm-account-missing", message, entry.at, hint)


def _there(around: Surroundings, kind: str) -> Optional[FrozenSet[str]]:
    return around.accounts if kind == "accounts" else around.groups


def _names(pool: Pool, as_root: bool) -> Iterator[Tuple[Entry, str, str]]:
    """(entry, kind, name) of each name that php-fpm looks up; numbers are taken as they are."""
    for key, kind in NAMED:
        entry = pool.entry(key)
        if entry and entry.value and not entry.value.isdigit() and (as_root or key.startswith("listen.")):
            yield entry, kind, entry.value
    for key, kind in LISTED if pool.socket else ():
        entry = pool.entry(key)
        for name in entry.value.split(",") if entry and entry.value else ():
            yield (entry, kind, name) if entry else (pool.entries[0], kind, name)


@rule(
    "fpm-user-root",
    "error",
    bad=Example(fpm=a_pool("user = root")),
    good=Example(fpm=a_pool("user = www-data")),
)
def user_root(subject: Subject) -> Found:
    """Workers that shall run as root.

    php-fpm refuses to start a pool whose user or group is root (or 0), and its own test does not notice. Choose an account of
    the application's own.
    """
    for pool in pools_of(subject) if subject.around.as_root else ():
        for key in ("user", "group"):
            entry = pool.entry(key)
            if entry and (entry.value == "root" or (entry.value.isdigit() and int(entry.value) == 0)):
                message = f"pool {pool.name}: {key} is root, with which php-fpm does not start"
                yield finding("fpm-user-root", message, entry.at, "choose an account of the application's own")
                break
