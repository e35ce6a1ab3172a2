from __future__ import annotations

from typing import Callable, Optional, Sequence

import pytest
from support.configurations import lines

from deploykit.rules.pool_examples import POOL, a_pool

ACCOUNTS = frozenset(("root", "www-data"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("user = nosuch", ["error 2"]),
        ("group = nosuch", ["error 3"]),
        ("listen.owner = nosuch", ["error 5"]),
        ("listen.group = nosuch", ["error 6"]),
        ("user = 1000", []),
        ("listen.acl_users = www-data,nosuch", ["error 9"]),
        ("listen.acl_users = root, www-data", ["error 9"]),
        ("listen.acl_groups = nosuch", ["error 9"]),
        ("listen.acl_users = root,www-data", []),
        ("listen.acl_users =", []),
    ],
)
def test_accounts(line: str, told: list[str]) -> None:
    assert lines("fpm-account-missing", a_pool(line), accounts=ACCOUNTS, groups=ACCOUNTS) == told
    assert lines("fpm-account-missing", a_pool(line)) == []


def test_accounts_that_do_not_matter() -> None:
    tcp = a_pool("listen = 127.0.0.1:9000", "listen.acl_users = nosuch")
    assert lines("fpm-account-missing", tcp, accounts=ACCOUNTS) == []
    assert lines("fpm-account-missing", a_pool("user = nosuch"), accounts=ACCOUNTS, as_root=False) == []


@pytest.mark.parametrize("line", ["user = root", "user = 0", "group = root", "group = 0"])
def test_root(line: str) -> None:
    assert len(lines("fpm-user-root", a_pool(line))) == 1
    assert lines("fpm-user-root", a_pool(line), as_root=False) == []


def there(*missing: str) -> Callable[[str], bool]:
    return lambda path: path not in missing


@pytest.mark.parametrize(
    ("lines_", "missing", "told"),
    [
        (("access.log = /var/log/nosuch/a.log",), "/var/log/nosuch", ["error 9"]),
        (("access.log = /proc/self/fd/2",), "/proc/self/fd", []),
        (("slowlog = /var/log/nosuch/a.log",), "/var/log/nosuch", []),
        (("slowlog = /nosuch/a.log", "request_slowlog_timeout = 5"), "/nosuch", ["error 9"]),
        (("chdir = /nosuch",), "/nosuch", ["error 9"]),
        (("chroot = /nosuch",), "/nosuch", ["error 9"]),
        (("chroot = /srv", "chdir = /app"), "/srv/app", ["error 10"]),
        (("chroot = /srv", "chdir = /app"), "/app", []),
        (("prefix = /nosuch",), "/nosuch", ["error 9"]),
        (("chdir = /",), "/", []),
    ],
)
def test_folders(lines_: tuple[str, ...], missing: str, told: list[str]) -> None:
    assert lines("fpm-path-missing", a_pool(*lines_), exists=there(missing)) == told
    assert lines("fpm-path-missing", a_pool(*lines_)) == []


def test_the_folder_of_the_log() -> None:
    assert lines("fpm-path-missing", "error_log = /nosuch/a.log\n" + POOL, exists=there("/nosuch")) == ["error 1"]
    assert lines("fpm-path-missing", "error_log = log/a.log\n" + POOL, exists=there("/var/log")) == ["error 1"]
    assert lines("fpm-path-missing", "error_log = syslog\n" + POOL, exists=lambda path: False) == []


FILES = {
    "/usr/lib/tmpfiles.d": {"php.conf": "#Type Path\n d /run/php 0755 www-data www-data - -\n"},
    "/etc/systemd/system": {"php8.2-fpm.service": "[Service]\nRuntimeDirectory=php other\n", "php.service": "x"},
    "/etc/systemd/system/php-fpm.service.d": {"a.conf": "[Service]\nRuntimeDirectory = php:php2\n"},
}


def names(*folders: str) -> Callable[[str], Optional[Sequence[str]]]:
    def listed(folder: str) -> Optional[Sequence[str]]:
        inner = [name.rpartition("/")[2] for name in folders if name.startswith(folder + "/")]
        return [*(FILES[folder] if folder in folders else ()), *inner] or None

    return listed


def read(path: str) -> Optional[bytes]:
    folder, _, name = path.rpartition("/")
    return FILES[folder][name].encode() if name in FILES.get(folder, {}) else None


@pytest.mark.parametrize("folder", FILES)
def test_a_folder_that_systemd_makes(folder: str) -> None:
    assert lines("fpm-listen-dir", POOL, exists=there("/run/php"), names=names(folder), read=read) == []


def test_the_folder_of_a_socket() -> None:
    assert lines("fpm-listen-dir", POOL, exists=there("/run/php")) == ["error 4"]
    assert lines("fpm-listen-dir", POOL, exists=there("/run/php"), names=names(), read=read) == ["error 4"]
    assert lines("fpm-listen-dir", POOL, exists=there()) == []
    assert lines("fpm-listen-dir", POOL) == []
    assert lines("fpm-listen-dir", a_pool("listen = app.sock"), exists=lambda path: False) == []
    status = a_pool("listen = 127.0.0.1:9000", "pm.status_listen = /run/nosuch/s.sock")
    assert lines("fpm-listen-dir", status, exists=there("/run/nosuch")) == ["error 9"]


LONG = "/run/php/" + "a" * 98


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("/run/php/www.sock", False),
        (LONG, False),
        (LONG + "a", True),
        ("app.sock", True),
        ("127.0.0.1", True),
        ("0", True),
        ("65536", True),
        ("9000", False),
        ("127.0.0.1:99999", True),
        ("127.0.0.1:php", True),
        (":9000", True),
        ("[::1]:9000", False),
        ("::1:9000", False),
        ("*:9000", False),
        ("localhost:9000", False),
        ("no.such.host:9000", True),
    ],
)
def test_addresses(address: str, wrong: bool) -> None:
    told = ["error 4"] if wrong else []
    assert lines("fpm-listen-address", a_pool(f"listen = {address}"), resolve=lambda host: host == "localhost") == told


def test_addresses_that_take_knowing_more() -> None:
    assert lines("fpm-listen-address", a_pool("listen = no.such.host:9000")) == []
    assert lines("fpm-listen-address", a_pool("listen = app.sock", "prefix = /srv")) == []
    assert lines("fpm-listen-address", a_pool("pm.status_listen = 127.0.0.1:0")) == ["error 9"]


@pytest.mark.parametrize("mode", ["rw-rw----", "432", "438", "384", "66", "0o660", "0680", "u+rw"])
def test_modes_that_are_none(mode: str) -> None:
    assert lines("fpm-listen-mode", a_pool(f"listen.mode = {mode}")) == ["error 9"]
    assert lines("fpm-listen-mode", a_pool("listen = 9000", f"listen.mode = {mode}")) == []


@pytest.mark.parametrize("mode", ["0660", "660", "0666", "0600", "0777", '"0660"', "${MODE}"])
def test_modes_that_are_right(mode: str) -> None:
    assert lines("fpm-listen-mode", a_pool(f"listen.mode = {mode}")) == []


@pytest.mark.parametrize("address", ["9000", "0.0.0.0:9000", "[::]:9000", ":::9000"])
def test_pools_that_are_open_to_all(address: str) -> None:
    assert lines("fpm-listen-all", a_pool(f"listen = {address}")) == ["warning 4"]
    assert lines("fpm-listen-all", a_pool(f"listen = {address}", "listen.allowed_clients = 10.0.0.1")) == []


@pytest.mark.parametrize("address", ["/run/x.sock", "127.0.0.1:9000", "10.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_pools_that_are_not(address: str) -> None:
    assert lines("fpm-listen-all", a_pool(f"listen = {address}")) == []


@pytest.mark.parametrize("clients", ["any", "localhost", "127.0.0.1, ::1", "10.0.0.0/8", "10.0.0.256", "", "10.0.0", "::g"])
def test_clients_that_are_no_addresses(clients: str) -> None:
    listen = "listen = 127.0.0.1:9000"
    assert lines("fpm-allowed-clients", a_pool(listen, f"listen.allowed_clients = {clients}")) == ["error 9"]
    assert lines("fpm-allowed-clients", a_pool(f"listen.allowed_clients = {clients}")) == []


@pytest.mark.parametrize("clients", ["127.0.0.1", "127.0.0.1,::1", "10.11.12.255,2001:db8::1", "${CLIENTS}"])
def test_clients_that_are(clients: str) -> None:
    assert lines("fpm-allowed-clients", a_pool("listen = 127.0.0.1:9000", f"listen.allowed_clients = {clients}")) == []
