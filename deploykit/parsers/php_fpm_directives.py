"""Every directive of php-fpm 8.2: what kind of value it takes, and the value that holds when nobody sets it.

A kind is a function from the text (constants, quotes and ``$pool`` already resolved) to the value that php-fpm holds;
it raises ValueError with php-fpm's reason for a text that php-fpm refuses. Times are seconds, modes are numbers.
"""

from __future__ import annotations

import re
from typing import Callable, Mapping, NamedTuple, Optional, Union

from deploykit.parsers.ini_tokens import to_int, wrapped

Value = Union[str, int, bool, None]
Kind = Callable[[str], Value]


class Known(NamedTuple):
    """A directive that exists. default None: there is none, or php-fpm works it out."""

    kind: Kind
    default: Value = None


LEVELS = ("alert", "error", "warning", "warn", "notice", "debug")
FACILITIES = (
    *("auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp"),
    *(f"local{n}" for n in range(8)),
)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def text(value: str) -> str:
    """Anything at all; ``$pool`` is expanded in it."""
    return value


def boolean(value: str) -> bool:
    """Exactly one of a few words in lower case; bare ones were turned into 1 or nothing by the scanner, in any case."""
    if value in ("1", "yes", "true", "on"):
        return True
    if value in ("", "0", "no", "none", "false", "off"):
        return False
    raise ValueError("is not a boolean: yes or no")


def integer(value: str) -> int:
    """Digits, perhaps with a leading minus; more than 32 bits wrap, nothing is 0."""
    if not re.match(r"-?[0-9]*\Z", value):
        raise ValueError("is not a whole number")
    return to_int(value)


def time(value: str) -> int:
    """Seconds: a number with at most one of s m h d. php-fpm looks at the last character only, so 1.5m is one minute."""
    if not value:
        raise ValueError("is no time: a number, then at most one of s, m, h, d")
    unit = value[-1]
    if unit in SECONDS:
        return wrapped(SECONDS[unit] * to_int(value[:-1]))
    if unit not in "0123456789":
        raise ValueError("does not end in a digit or one of s, m, h, d")
    return to_int(value)


def mode(value: str) -> int:
    """Octal digits up to the first other character, as strtoul reads them: php-fpm refuses nothing."""
    match = re.match(r"\s*\+?([0-7]+)", value)
    return int(match.group(1), 8) if match else 0


def manager(value: str) -> str:
    """``static``, ``dynamic`` or ``ondemand``, in any case."""
    return _one_of(value, ("static", "dynamic", "ondemand"))


def level(value: str) -> str:
    """A log level, in any case; ``warn`` is ``warning``."""
    found = _one_of(value, LEVELS)
    return "warning" if found == "warn" else found


def facility(value: str) -> str:
    """A facility of syslog, in any case."""
    return _one_of(value, FACILITIES)


def core_size(value: str) -> int:
    """Bytes, or -1 for ``unlimited``."""
    if value.lower() == "unlimited":
        return -1
    size = integer(value)
    if size < 0:
        raise ValueError("is neither a size nor 'unlimited'")
    return size


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value.lower() not in allowed:
        raise ValueError("is none of " + ", ".join(allowed))
    return value.lower()


GLOBAL: Mapping[str, Known] = {
    "pid": Known(text),
    "error_log": Known(text, "log/php-fpm.log"),
    "syslog.ident": Known(text, "php-fpm"),
    "syslog.facility": Known(facility, "daemon"),
    "log_buffering": Known(boolean, True),
    "log_level": Known(level, "notice"),
    "log_limit": Known(integer, 1024),
    "emergency_restart_threshold": Known(integer, 0),
    "emergency_restart_interval": Known(time, 0),
    "process_control_timeout": Known(time, 0),
    "process.max": Known(integer, 0),
    "process.priority": Known(integer),
    "daemonize": Known(boolean, True),
    "rlimit_files": Known(integer, 0),
    "rlimit_core": Known(core_size, 0),
    "events.mechanism": Known(text),
    "systemd_interval": Known(time, 10),
}

POOL: Mapping[str, Known] = {
    "prefix": Known(text),
    "user": Known(text),
    "group": Known(text),
    "listen": Known(text),
    "listen.backlog": Known(integer, -1),
    "listen.owner": Known(text),
    "listen.group": Known(text),
    "listen.mode": Known(mode, 0o660),
    "listen.acl_users": Known(text),
    "listen.acl_groups": Known(text),
    "listen.allowed_clients": Known(text),
    "process.priority": Known(integer),
    "process.dumpable": Known(boolean, False),
    "pm": Known(manager),
    "pm.max_children": Known(integer, 0),
    "pm.start_servers": Known(integer, 0),
    "pm.min_spare_servers": Known(integer, 0),
    "pm.max_spare_servers": Known(integer, 0),
    "pm.max_spawn_rate": Known(integer, 32),
    "pm.process_idle_timeout": Known(time, 10),
    "pm.max_requests": Known(integer, 0),
    "pm.status_path": Known(text),
    "pm.status_listen": Known(text),
    "ping.path": Known(text),
    "ping.response": Known(text, "pong"),
    "access.log": Known(text),
    "access.format": Known(text, '%R - %u %t "%m %r" %s'),
    "slowlog": Known(text),
    "request_slowlog_timeout": Known(time, 0),
    "request_slowlog_trace_depth": Known(integer, 20),
    "request_terminate_timeout": Known(time, 0),
    "request_terminate_timeout_track_finished": Known(boolean, False),
    "rlimit_files": Known(integer, 0),
    "rlimit_core": Known(core_size, 0),
    "chroot": Known(text),
    "chdir": Known(text),
    "catch_workers_output": Known(boolean, False),
    "decorate_workers_output": Known(boolean, True),
    "clear_env": Known(boolean, True),
    "security.limit_extensions": Known(text, ".php .phar"),
    "apparmor_hat": Known(text),
}

# Their names are the only ones in which capitals count, with "include".
ARRAYS: Mapping[str, Known] = {
    "env": Known(text),
    "php_value": Known(text),
    "php_admin_value": Known(text),
    "php_flag": Known(boolean),
    "php_admin_flag": Known(boolean),
    "access.suppress_path": Known(text),
}

# php.ini values of a pool that php-fpm takes for paths and completes with the prefix when they are relative.
PATH_VALUES = frozenset(
    (
        "axis2.client_home",
        "blenc.key_file",
        "coin_acceptor.device",
        "error_log",
        "extension_dir",
        "mime_magic.magicfile",
        "sendmail_path",
        "session.cookie_path",
        "session_pgsql.sem_file_name",
        "soap.wsdl_cache_dir",
        "uploadprogress.file.filename_template",
        "xdebug.output_dir",
        "xdebug.profiler_output_dir",
        "xdebug.trace_output_dir",
        "xmms.path",
    )
)


def typed(table: Mapping[str, Known], name: str, value: Optional[str]) -> Value:
    """The value of ``name`` as php-fpm holds it; its default for None and for a text that php-fpm refuses."""
    known = table.get(name)
    if known is None or value is None:
        return known.default if known else value
    try:
        return known.kind(value)
    except ValueError:
        return known.default
