from __future__ import annotations

import subprocess

import pytest
from support.services import Stack, needs_services

from deploykit.services import pools

TWO = """\
; listen = /commented
[global]
listen = /no
[www]
user = www-data
 listen=/run/php/www.sock ; the site
pm = static
pm.max_children = 20
pm.status_listen = 127.0.0.1:9001
php_admin_value[error_log] = /var/log/$pool.log
[api]
user = www-data
listen = "127.0.0.1:9000"
pm = dynamic
[other]
listen = /run/php/$pool.sock
listen.mode = 0660
"""


def test_listens_are_told_by_pool() -> None:
    assert pools.listens(TWO) == {
        "www": "unix:/run/php/www.sock",
        "api": "127.0.0.1:9000",
        "other": "unix:/run/php/other.sock",
    }
    assert pools.listens("") == {}
    assert pools.listens("listen = 9000\n[a]\nlisten = 9000\n") == {"a": "9000"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("process_control_timeout = 10\n", 10),
        ("[global]\n  process_control_timeout=10s ; grace\n", 10),
        ("process_control_timeout = 2m\n", 120),
        ("process_control_timeout = '1h'\n", 3600),
        (";process_control_timeout = 10\n", 0),
        ("process_control_timeout = 0\n", 0),
        ("process_control_timeout = 5\nprocess_control_timeout = 7\n", 7),
    ],
)
def test_the_grace_of_a_reload(text: str, seconds: int) -> None:
    assert pools.control_timeout(text) == seconds


def test_a_bridge_keeps_the_pools_address_under_another_name() -> None:
    text = pools.bridge_text(TWO, ["www"])
    assert pools.listens(text) == {"deploykit-bridge-www": "unix:/run/php/www.sock"}
    assert "pm = ondemand\n" in text
    assert "pm = static" not in text
    assert "status_listen" not in text
    assert "= /var/log/www.log\n" in text
    assert "api" not in text
    assert pools.listens(pools.bridge_text(TWO, ["api", "other"])) == {
        "deploykit-bridge-api": "127.0.0.1:9000",
        "deploykit-bridge-other": "unix:/run/php/other.sock",
    }


@pytest.mark.services
@needs_services()
class TestReal:
    @pytest.mark.parametrize("kind", ["static", "dynamic", "ondemand"])
    def test_php_fpm_accepts_a_bridge_beside_the_moved_pool(self, kind: str) -> None:
        numbers = {"dynamic": "pm.start_servers = 2\npm.min_spare_servers = 1\npm.max_spare_servers = 3\n"}.get(kind, "")
        with Stack(start=False) as stack:
            old = stack.pool(more=f"pm = {kind}\n{numbers}access.log = {stack.path('var/log/$pool.access.log')}\n")
            stack.write_pool(listen=stack.php.socket + ".new")
            bridge = stack.write(f"{stack.pool_folder}/{pools.BRIDGE}www.conf", pools.bridge_text(old, ["www"]))
            argv = [stack.php.binary, "-t", "--fpm-config", stack.php.main]
            tested = subprocess.run(argv, capture_output=True, text=True, check=False)
            assert tested.returncode == 0, tested.stderr
            assert pools.addresses(stack.php, stack.machine) == (f"unix:{stack.php.socket}.new", f"unix:{stack.php.socket}")
            assert bridge in pools.pool_files(stack.php, stack.machine)
