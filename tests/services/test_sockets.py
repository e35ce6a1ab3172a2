"""Which FastCGI addresses a deployment gives up and takes up, and the bridge between them."""

from __future__ import annotations

from typing import Optional

import pytest

from deploykit.model import Change, Found, Service, SocketMoves
from deploykit.services.sockets import moves

PHP = Service("php-fpm", "/etc/php", "/etc/php/fpm.conf", "/run/fpm.pid", "/var/log/fpm.log", "www-data")


def pool(name: str, listen: str) -> str:
    return f"[{name}]\nlisten = {listen}\npm = static\npm.max_children = 2\n"


def change(
    before: Optional[str], after: Optional[str], path: str = "/etc/php/pool.d/a.conf", service: str = "php-fpm"
) -> Change:
    action = "create" if before is None else "remove" if after is None else "replace"
    return Change(action, path, service, "t", Found(path), (before or "").encode(), (after or "").encode())


@pytest.mark.parametrize(
    ("changes", "gone", "new"),
    [
        ([change(pool("a", "/run/a.sock"), pool("a", "/run/a.sock") + "pm.max_requests = 3\n")], (), ()),
        ([change(None, pool("a", "/run/a.sock"))], (), ("unix:/run/a.sock",)),
        ([change(pool("a", "/run/a.sock"), None)], ("unix:/run/a.sock",), ()),
        ([change(pool("a", "9000"), pool("b", "9000"))], (), ()),
        ([change(pool("a", "9000"), None), change(None, pool("a", "9000"), "/etc/php/pool.d/b.conf")], (), ()),
    ],
)
def test_without_a_move_there_is_no_bridge(changes: list[Change], gone: tuple[str, ...], new: tuple[str, ...]) -> None:
    assert moves(PHP, changes) == SocketMoves(gone, new)


def test_an_address_that_moves_is_bridged_beside_its_pool() -> None:
    found = moves(PHP, [change(pool("a", "/run/a.sock"), pool("a", "/run/b.sock"))])
    assert (found.gone, found.new) == (("unix:/run/a.sock",), ("unix:/run/b.sock",))
    assert found.bridge is not None
    path, text = found.bridge
    assert path == "/etc/php/pool.d/zz-deploykit-bridge-pools.conf"
    assert "[deploykit-bridge-a]" in text
    assert "listen = /run/a.sock" in text


def test_the_bridge_has_only_the_pools_whose_address_goes() -> None:
    before = pool("stays", "/run/stays.sock") + pool("moves", "/run/old.sock")
    after = pool("stays", "/run/stays.sock") + pool("moves", "/run/new.sock")
    unrelated = change(pool("other", "9001"), pool("other", "9001"), "/etc/php/pool.d/other.conf")
    found = moves(PHP, [unrelated, change(before, after)])
    assert found.bridge is not None
    assert "/run/old.sock" in found.bridge[1]
    assert "stays" not in found.bridge[1]
    assert "other" not in found.bridge[1]


def test_files_of_nginx_and_files_that_are_no_pools_do_not_count() -> None:
    changes = [
        change(pool("a", "1"), pool("a", "2"), "/etc/nginx/a.conf", "nginx"),
        change(pool("a", "1"), pool("a", "2"), "/etc/php/conf.d/20-x.ini"),
    ]
    assert moves(PHP, changes) == SocketMoves()
