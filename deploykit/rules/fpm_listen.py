"""Where a pool listens, how its socket may be used, and by whom."""

from __future__ import annotations

import re
from typing import Optional

from deploykit.parsers.php_fpm_tree import Entry, Pool, is_network
from deploykit.rules.pool_addresses import ALL, host_and_port, listening
from deploykit.rules.pool_examples import a_pool
from deploykit.rules.pools import pools_of
from deploykit.rules.rule import Example, Found, Subject, Surroundings, finding, rule

LONGEST = 107
# Modes that people write for sockets: their decimal readings are what a number without quotes becomes on its way.
USUAL = (0o600, 0o620, 0o640, 0o644, 0o660, 0o664, 0o666, 0o700, 0o750, 0o755, 0o760, 0o766, 0o770, 0o775, 0o777)
DECIMAL = {str(mode): f"{mode:04o}" for mode in USUAL}
_MODE = re.compile(r"[0-7]{3,4}\Z")
_FOUR = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!\Z)|\Z)){4}\Z")


def is_address(text: str) -> bool:
    """Is it an IP address, of either kind?"""
    if ":" not in text:
        return bool(_FOUR.match(text))
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text.partition("%")[0])
    except AddressValueError:
        return False
    return True


@rule(
    "fpm-listen-address",
    "error",
    bad=Example(fpm=a_pool("listen = 127.0.0.1:99999")),
    good=Example(fpm=a_pool("listen = 127.0.0.1:9000")),
)
def listen_address(subject: Subject) -> Found:
    """An address at which no pool can listen, or not where its author thinks.

    A port is 1 to 65535. A host must resolve when php-fpm starts. A path without a leading slash lies below php-fpm's prefix
    (/usr), and one of more than 107 bytes is cut. php-fpm's own test sees none of it. Write /run/php/name.sock or
    127.0.0.1:9000.
    """
    for pool in pools_of(subject):
        for key in ("listen", "pm.status_listen"):
            entry = pool.entry(key)
            problem = _problem(pool, entry, subject.around) if entry and entry.value and not entry.unset else ""
            if entry and problem:
                yield finding("fpm-listen-address", f"{key} = {entry.value}: {problem}", entry.at)


def _problem(pool: Pool, entry: Entry, around: Surroundings) -> str:
    if not is_network(entry.value):
        return _path_problem(pool, entry)
    host, port = host_and_port(entry.value)
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        return "the port is not a number from 1 to 65535"
    if ":" not in entry.value or host == "*" or is_address(host):
        return ""
    if not host:
        return "the host before ':' is missing"
    return f"the host {host} does not resolve" if around.resolve and around.resolve(host) is False else ""


def _path_problem(pool: Pool, entry: Entry) -> str:
    path = pool.path(entry.key)
    if not entry.value.startswith("/") and pool.entry("prefix") is None and path.startswith("/usr/"):
        return f"it does not begin with '/', so the socket is {path}"
    length = len(path.encode("utf-8", "surrogateescape"))
    return f"the path is cut, it has {length} bytes and {LONGEST} are possible" if length > LONGEST else ""


@rule(
    "fpm-listen-mode",
    "error",
    bad=Example(fpm=a_pool("listen.mode = rw-rw----")),
    good=Example(fpm=a_pool("listen.mode = 0660")),
)
def listen_mode(subject: Subject) -> Found:
    """listen.mode is not three or four octal digits, or is an octal number that somebody turned into a decimal one.

    php-fpm reads up to the first other character, so rw-rw---- is mode 0000 and nobody can connect. YAML reads 0660 as the
    number 432, and 0432 keeps nginx out. Write 0660, in quotes in YAML.
    """
    for pool in pools_of(subject):
        entry = pool.entry("listen.mode")
        if entry and pool.socket and wrong_mode(pool):
            meant = DECIMAL.get(entry.value, "")
            problem = f"is {meant} as a decimal number" if meant else "is not three or four octal digits"
            yield finding("fpm-listen-mode", f"listen.mode = {entry.value} {problem}", entry.at, f"write {meant or '0660'}")


def wrong_mode(pool: Pool) -> bool:
    """Is listen.mode no mode, or one that was an octal number once?"""
    entry = pool.entry("listen.mode")
    if entry is None or not entry.value or entry.unset:
        return False
    return entry.value in DECIMAL or not _MODE.match(entry.value)


@rule(
    "fpm-listen-all",
    "warning",
    bad=Example(fpm=a_pool("listen = 9000")),
    good=Example(fpm=a_pool("listen = 127.0.0.1:9000")),
)
def listen_all(subject: Subject) -> Found:
    """A pool that listens on every interface.

    A port without an address, 0.0.0.0 and [::] let everybody who reaches the machine run any PHP file on it. Write
    127.0.0.1:9000 or a unix socket; in a container of its own, where nginx is elsewhere, listen.allowed_clients settles it.
    """
    for pool in pools_of(subject):
        entry, address = pool.entry("listen"), listening(pool)
        if entry and address and address.hosts & ALL and not pool.text("listen.allowed_clients"):
            message = f"pool {pool.name} listens on every interface ({entry.value})"
            yield finding("fpm-listen-all", message, entry.at, "put an address before the port, or set listen.allowed_clients")


@rule(
    "fpm-allowed-clients",
    "error",
    bad=Example(fpm=a_pool("listen = 127.0.0.1:9000", "listen.allowed_clients = localhost")),
    good=Example(fpm=a_pool("listen = 127.0.0.1:9000", "listen.allowed_clients = 127.0.0.1,::1")),
)
def allowed_clients(subject: Subject) -> Found:
    """listen.allowed_clients holds something that is no IP address.

    Names, networks (10.0.0.0/8), any and a blank behind a comma are not understood: that entry lets nobody in, and every
    connection is reset, without a word in the log. Write addresses with commas between them and no blanks.
    """
    for pool in pools_of(subject):
        entry = None if pool.socket else pool.entry("listen.allowed_clients")
        wrong = wrong_client(entry)
        if entry and wrong is not None:
            message = f"listen.allowed_clients: {wrong!r} is no IP address, nobody gets in by it"
            yield finding("fpm-allowed-clients", message, entry.at, "write IP addresses, with commas and no blanks between")


def wrong_client(entry: Optional[Entry]) -> Optional[str]:
    """The first entry of the list that is no IP address, None if all are."""
    if entry is None or entry.unset:
        return None
    return next((client for client in entry.value.split(",") if not is_address(client)), None)
