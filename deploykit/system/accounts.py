"""Accounts and groups, by name and number."""

from __future__ import annotations

import functools
import grp
import pwd
from typing import Dict, FrozenSet, Mapping, Optional, Set, Tuple


@functools.lru_cache(maxsize=64)
def uid(name: str) -> Optional[int]:
    """Number of an account (a name, or digits), None when there is none."""
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


@functools.lru_cache(maxsize=64)
def gid(name: str) -> Optional[int]:
    """Number of a group (a name, or digits), None when there is none."""
    if name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def everybody() -> Tuple[FrozenSet[str], FrozenSet[str], Mapping[str, FrozenSet[str]]]:
    """Names of all accounts, of all groups, and for each account the groups that it is in."""
    accounts, groups = pwd.getpwall(), grp.getgrall()
    names = {group.gr_gid: group.gr_name for group in groups}
    members: Dict[str, Set[str]] = {account.pw_name: {names.get(account.pw_gid, "")} - {""} for account in accounts}
    for group in groups:
        for member in group.gr_mem:
            members.setdefault(member, set()).add(group.gr_name)
    return (
        frozenset(account.pw_name for account in accounts),
        frozenset(names.values()),
        {name: frozenset(found) for name, found in members.items()},
    )
