"""Folders that must be there before php-fpm starts."""

from __future__ import annotations

import posixpath
from typing import Dict, Iterator, Tuple

from deploykit.parsers.php_fpm_tree import Entry, FpmConfig, Pool
from deploykit.rules.pool_addresses import all_listening
from deploykit.rules.pool_examples import a_pool
from deploykit.rules.pools import pools_of
from deploykit.rules.rule import Example, Found, Subject, Surroundings, finding, rule
from deploykit.rules.runtime_folders import is_made

SPECIAL = ("/dev/", "/proc/")


def _nothing_new(path: str) -> bool:
    """What exists in the examples."""
    return not path.startswith(("/srv/nosuch", "/run/nosuch"))


@rule(
    "fpm-path-missing",
    "error",
    bad=Example(fpm=a_pool("chdir = /srv/nosuch"), around={"exists": _nothing_new}),
    good=Example(fpm=a_pool("chdir = /srv"), around={"exists": _nothing_new}),
)
def path_missing(subject: Subject) -> Found:
    """A folder that does not exist: that of error_log, access.log or slowlog, or chroot, chdir or prefix itself.

    php-fpm does not start. Let an earlier step make the folder, or correct the path. Judged only where the machine's files are
    known.
    """
    exists = subject.around.exists
    if exists is None or subject.fpm is None:
        return
    for entry, folder in _needed(subject.fpm):
        if folder not in ("", "/") and not entry.unset and exists(folder) is False:
            message = f"{entry.key}: the folder {folder} does not exist"
            yield finding("fpm-path-missing", message, entry.at, "make it in an earlier step, or correct the path")


def _needed(fpm: FpmConfig) -> Iterator[Tuple[Entry, str]]:
    log = fpm.general.entry("error_log")
    if log and log.value.lower() != "syslog":
        yield log, _folder_of(fpm.path("error_log"))
    for pool in fpm.pools.values():
        yield from _needed_by(pool)


def _needed_by(pool: Pool) -> Iterator[Tuple[Entry, str]]:
    logs = ["access.log", "slowlog"] if pool.number("request_slowlog_timeout") else ["access.log"]
    for key in logs:
        entry = pool.entry(key)
        if entry and entry.value:
            yield entry, _folder_of(pool.path(key))
    for key in ("prefix", "chroot", "chdir"):
        entry = pool.entry(key)
        if entry and entry.value:
            yield entry, _folder(pool, key)


def _folder(pool: Pool, key: str) -> str:
    if key == "prefix":
        return pool.prefix
    chroot = pool.path("chroot")
    if key == "chdir" and chroot:
        return posixpath.normpath(f"{chroot}/{pool.text('chdir')}")
    return pool.path(key)


def _folder_of(path: str) -> str:
    return "" if path.startswith(SPECIAL) else posixpath.dirname(path)


@rule(
    "fpm-listen-dir",
    "error",
    bad=Example(fpm=a_pool("listen = /run/nosuch/www.sock"), around={"exists": _nothing_new}),
    good=Example(fpm=a_pool(), around={"exists": _nothing_new}),
)
def listen_dir(subject: Subject) -> Found:
    """The folder of a pool's socket does not exist.

    php-fpm's own test does not notice; php-fpm does not start. Below /run a folder is gone after each boot, so let systemd
    make it: RuntimeDirectory= in php-fpm's unit, or a line in /etc/tmpfiles.d; both are looked for. Judged only where the
    machine's files are known.
    """
    missing: Dict[str, bool] = {}
    for pool in pools_of(subject) if subject.around.exists else ():
        for entry, address in all_listening(pool):
            # Where a relative path leads to is fpm-listen-address's business.
            folder = posixpath.dirname(address.socket) if entry.value.startswith("/") else ""
            if folder not in missing:
                missing[folder] = _is_missing(folder, subject.around)
            if missing[folder]:
                message = f"pool {pool.name}: the folder {folder} of its socket does not exist"
                hint = "make it in an earlier step; below /run by tmpfiles.d or RuntimeDirectory= too"
                yield finding("fpm-listen-dir", message, entry.at, hint)


def _is_missing(folder: str, around: Surroundings) -> bool:
    there = around.exists(folder) if around.exists and folder not in ("", "/") else None
    return there is False and not is_made(folder, around)
