from __future__ import annotations

import pytest
from support.configurations import found, lines

from deploykit.rules.pool_examples import a_pool
from deploykit.rules.rule import Example

ALTERED = [
    "env[A] = p;w",
    "env[A] = p;w ; a comment",
    "env[DB_PASSWORD] = yes",
    "env[A] = none",
    "env[A] = null",
    "env[A] = M_PI",
    "env[A] = 1|2",
    "env[A] = ~x",
    "env[A] = !x",
    "env[A] = (x)",
    "env[A] = p'w'",
    "env[A] = p'w",
    'env[A] = "$ecret"',
    "env[A] = $ecret",
    'env[A] = "$2y$10$abcdef"',
    'env[DB_PASSWORD] = "ab$pool"',
    'env[A] = "ab$pools"',
    "php_admin_value[x] = a;b",
    "php_value[session.save_path] = a|b",
    "ping.response = yes",
    "listen = /run/php/a;b.sock",
]
UNCHANGED = [
    'env[A] = "p;w"',
    'env[A] = "p;w" ; a comment',
    "env[A] = pw ; a comment",
    "env[A] = pw;",
    "env[A] = pw; a comment",
    "env[A] = pw ;; a comment",
    'env[A] = "yes"',
    "env[A] = 'p|w'",
    "env[A] = /usr/bin:/bin",
    "env[A] = a b",
    "env[PATH] = $PATH",
    "env[HOSTNAME] = $HOSTNAME",
    "env[http_proxy] = $http_proxy",
    "env[POOL] = $pool",
    "env[TMP] = /var/lib/php/$pool/tmp",
    'env[A] = "a$b"',
    'env[A] = "a\\"b\\\\c"',
    'env[A] = "a\\${b}"',
    "php_flag[display_errors] = off",
    "php_admin_value[display_errors] = off",
    "php_admin_value[open_basedir] = none",
    "php_admin_value[xdebug.mode] = off",
    "php_value[error_reporting] = E_ALL & ~E_DEPRECATED",
    "php_value[error_reporting] = E_ALL",
    "php_admin_value[error_log] = /var/log/$pool_error.log",
    "php_admin_value[sendmail_path] = /usr/sbin/sendmail -t -i -f'a@b'",
    "catch_workers_output = yes",
    "listen = '/run/php/www.sock'",
    "access.log = /var/log/$pool.access.log",
    "slowlog = none",
    'access.format = "%R - %u %t \\"%m %r%Q%q\\" %s"',
]


@pytest.mark.parametrize("line", ALTERED)
def test_a_value_that_php_fpm_alters(line: str) -> None:
    told = found("fpm-value-altered", Example(fpm=a_pool(line)))
    assert [f.severity for f in told] == ["error"]
    assert not any(part in told[0].message for part in ("p;w", "ecret", "abcdef"))


@pytest.mark.parametrize("line", UNCHANGED)
def test_a_value_that_stays_what_it_is(line: str) -> None:
    assert found("fpm-value-altered", Example(fpm=a_pool(line))) == []


def test_a_switch_in_the_environment_is_a_warning() -> None:
    assert lines("fpm-value-altered", a_pool("env[HTTPS] = on")) == ["warning 9"]
    assert lines("fpm-value-altered", a_pool("env[API_KEY] = on")) == ["error 9"]


@pytest.mark.parametrize(("line", "told"), [("env[A] = off", "fpm-value-altered"), ("env[A] =", "fpm-bad-value")])
def test_an_empty_env_value_is_told_once(line: str, told: str) -> None:
    asked = ("fpm-bad-value", "fpm-value-altered", "fpm-env-unset")
    assert [name for name in asked if lines(name, a_pool(line), environment={})] == [told]


def test_a_variable_in_braces() -> None:
    pool = a_pool('env[A] = "a${B}"', "env[C] = ${B}", "php_admin_value[error_log] = /var/log/${B}.log")
    assert lines("fpm-value-altered", pool) == []
    assert lines("fpm-env-unset", pool) == []
    assert lines("fpm-value-altered", pool, environment={}) == ["error 9", "error 11"]
    assert lines("fpm-env-unset", pool, environment={}) == ["error 10"]
    assert lines("fpm-value-altered", pool, environment={"B": "b"}) == []


def test_a_variable_that_is_copied() -> None:
    pool = a_pool("env[DB_HOST] = $DB_HOST", 'env[PATH] = "$PATH"')
    assert lines("fpm-env-unset", pool) == []
    assert lines("fpm-env-unset", pool, environment={"PATH": "/bin"}) == ["warning 9"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("pm.max_requests = 99999999999", ["warning 9"]),
        ("pm.max_requests = -5", ["warning 9"]),
        ("pm.max_requests = 2147483647", []),
        ("listen.backlog = -1", []),
        ("process.priority = -5", []),
        ("request_terminate_timeout = 99999d", ["warning 9"]),
        ("request_terminate_timeout = -5s", ["warning 9"]),
        ("pm.max_children = -1", []),
    ],
)
def test_numbers(line: str, told: list[str]) -> None:
    assert lines("fpm-number-range", a_pool(line)) == told


@pytest.mark.parametrize("value", ["500ms", "1.5m", "1h30m", "abcm", "1e3", "+5s", "5ss"])
def test_times_that_mean_something_else(value: str) -> None:
    assert lines("fpm-time-value", a_pool(f"request_terminate_timeout = {value}")) == ["error 9"]


@pytest.mark.parametrize("value", ["0", "5", "5s", "10m", "1h", "2d", '"30s"', "5x", "5S", "${T}"])
def test_times_that_are_right_or_refused_anyway(value: str) -> None:
    assert lines("fpm-time-value", a_pool(f"request_terminate_timeout = {value}")) == []


def test_only_the_value_in_effect_is_judged() -> None:
    assert lines("fpm-time-value", a_pool("request_terminate_timeout = 5ms") + "request_terminate_timeout = 5\n") == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("php_admin_value[memory_limit] = banana", ["error 9"]),
        ("php_admin_value[memory_limit] = 0x10", ["error 9"]),
        ("php_admin_value[memory_limit] = 128", ["error 9"]),
        ("php_admin_value[memory_limit] =", ["error 9"]),
        ("php_admin_value[memory_limit] = -1", []),
        ("php_admin_value[memory_limit] = 134217728", []),
        ('php_admin_value[memory_limit] = "128 M"', []),
        ("php_value[post_max_size] = 10MB", ["error 9"]),
        ("php_value[post_max_size] = 1.5G", ["error 9"]),
        ("php_value[post_max_size] = 0", []),
        ("php_value[upload_max_filesize] = 10g", []),
        ("php_value[upload_max_filesize] = ${SIZE}", []),
        ("php_value[max_execution_time] = 5x", []),
    ],
)
def test_sizes(line: str, told: list[str]) -> None:
    assert lines("fpm-ini-value", a_pool(line)) == told


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("memory_limitt", "warning"),
        ("Memory_Limit", "warning"),
        ("session.save_pth", "warning"),
        ("opcache.enabled", "warning"),
        ("zend_extension", "warning"),
        ("sesion.save_path", "warning"),
        ("mymodule.level", "info"),
        ("opcache.fast_shutdown", "info"),
        ("register_globals", "info"),
        ("memory_limit", ""),
        ("xdebug.mode", ""),
        ("newrelic.appname", ""),
        ("mbstring.language", ""),
        ("session.cookie_samesite", ""),
        ("SMTP", ""),
        ("extension", ""),
    ],
)
def test_names_of_php_ini(name: str, severity: str) -> None:
    told = found("fpm-unknown-ini", Example(fpm=a_pool(f"php_admin_value[{name}] = 1", f"php_flag[{name}] = 1")))
    assert [f.severity for f in told] == ([severity] if severity else [])
