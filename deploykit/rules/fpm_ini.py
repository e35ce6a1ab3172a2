"""Settings of php.ini that a pool makes."""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Tuple

from deploykit.parsers.php_fpm_tree import Entry
from deploykit.parsers.problem import nearest
from deploykit.rules.ini_names import EXTENSIONS, GONE, KNOWN, OWN_PARTS
from deploykit.rules.php_ini import size
from deploykit.rules.pool_examples import a_pool
from deploykit.rules.pools import INI_KEYS, pools_of
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_SIZES = """
memory_limit max_memory_limit post_max_size upload_max_filesize realpath_cache_size apc.shm_size fiber.stack_size
opcache.jit_buffer_size zend.max_allowed_stack_size zend.reserved_stack_size
"""
SIZES = frozenset(_SIZES.split())
LEAST_MEMORY = 2 * 2**20


@rule(
    "fpm-ini-value",
    "error",
    bad=Example(fpm=a_pool("php_admin_value[memory_limit] = 128MB")),
    good=Example(fpm=a_pool("php_admin_value[memory_limit] = 128M")),
)
def ini_value(subject: Subject) -> Found:
    """A size that PHP does not understand.

    It is digits and at most one of K, M, G. PHP says nothing: memory_limit = 128MB is ignored, post_max_size = 10MB is ten
    bytes, so that every form arrives empty, and 1.5G is 1G. A memory_limit below 2M is ignored as well. Write 128M.
    """
    for pool in pools_of(subject):
        for name, entry in pool.ini().items():
            problem = "" if entry.unset or name not in SIZES else _problem(name, entry.value)
            if problem:
                yield finding("fpm-ini-value", f"{name} = {entry.value}: {problem}", entry.at, "write a size like 64M or 1G")


def _problem(name: str, value: str) -> str:
    if value.strip() == "-1":
        return ""
    found = size(value)
    if found is None:
        return "is no size of PHP's, which ignores it or takes a part of it"
    if name == "memory_limit" and found < LEAST_MEMORY:
        return "is less than PHP itself needs, and is ignored"
    return ""


@rule(
    "fpm-unknown-ini",
    "warning",
    bad=Example(fpm=a_pool("php_admin_value[memory_limitt] = 128M")),
    good=Example(fpm=a_pool("php_admin_value[memory_limit] = 128M")),
)
def unknown_ini(subject: Subject) -> Found:
    """A setting that no php.ini knows.

    php-fpm takes any name and PHP ignores those that it does not know; capitals count. Correct the name. What may belong to an
    extension, or did belong to an older PHP, is an info only.
    """
    for pool in pools_of(subject):
        seen: Dict[str, Entry] = {}
        for entry in pool.entries:
            name = entry.bracket
            if entry.key not in INI_KEYS or not name or name in KNOWN or seen.setdefault(name, entry) is not entry:
                continue
            severity, message, hint = _unknown(name)
            if severity:
                yield finding("fpm-unknown-ini", message, entry.at, hint, severity)


@lru_cache(maxsize=100)
def _unknown(name: str) -> Tuple[str, str, str]:
    """Severity, message and hint for a name that PHP itself does not know; ``""`` where nothing is to be said."""
    part, dot, _ = name.partition(".")
    if name in GONE:
        return "info", f"{name} is no setting of PHP any more: it has no effect", "take it out"
    if dot and part in EXTENSIONS:
        return "", "", ""
    hint = nearest(name, sorted(KNOWN))
    if dot and part not in OWN_PARTS and not hint:
        return "info", f"{name} has an effect only if an extension brings it", ""
    return "warning", f"no php.ini knows {name}: it has no effect", hint
