from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest
from support.load import Load
from support.services import Stack, needs_services

from deploykit.errors import Failed
from deploykit.model import SocketMoves
from deploykit.services import pools, supervisor
from deploykit.stages.reload import order, reload

BOTH = ("nginx", "php-fpm")
STAY = SocketMoves()


@pytest.mark.parametrize(
    ("due", "moves", "steps"),
    [
        ((), STAY, ()),
        (("nginx",), SocketMoves(("a",), ("b",), ("f", "t")), ("reload nginx",)),
        (("php-fpm",), SocketMoves(("a",), (), None), ("reload php-fpm",)),
        (BOTH, STAY, ("reload php-fpm", "reload nginx")),
        (BOTH, SocketMoves((), ("b",)), ("reload php-fpm", "reload nginx")),
        (BOTH, SocketMoves(("a",), ()), ("reload nginx", "drain nginx", "reload php-fpm")),
        (
            BOTH,
            SocketMoves(("a",), ("b",), ("f", "t")),
            ("build bridge", "reload php-fpm", "reload nginx", "drain nginx", "remove bridge", "reload php-fpm"),
        ),
    ],
)
def test_order(due: Tuple[str, ...], moves: SocketMoves, steps: Tuple[str, ...]) -> None:
    assert order(due, moves) == steps
    assert order(tuple(reversed(due)), moves) == steps


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack() as started:
        yield started


def moved(stack: Stack, address: str) -> SocketMoves:
    """Move the pool and the site to another socket; what a plan would say about it."""
    path = f"{stack.path(stack.pool_folder)}/{pools.BRIDGE}pools.conf"
    bridge = (path, pools.bridge_text(stack.pool(), ["www"]))
    stack.write_pool(listen=address)
    stack.write_site(address=f"unix:{address}")
    return SocketMoves((f"unix:{stack.php.socket}",), (f"unix:{address}",), bridge)


@pytest.mark.services
@needs_services()
class TestReal:
    def test_both_are_reloaded_and_noted_before(self, stack: Stack) -> None:
        notes: List[str] = []
        before = {name: supervisor.now(stack.services[name], stack.machine) for name in BOTH}

        def note(mark: str) -> None:
            name = mark.split()[1]
            assert before[name] == supervisor.now(stack.services[name], stack.machine)
            notes.append(mark)

        stack.write_site("two")
        assert reload(stack.services, BOTH, STAY, stack.machine, note) == ()
        assert notes == ["reloading php-fpm", "reloading nginx"]
        assert stack.get("/").body == b"two"
        for name in BOTH:
            service = stack.services[name]
            assert supervisor.loaded_after(service, stack.machine, stack.machine.newest_change(service.writable))

    def test_nothing_due_is_nothing_done(self, stack: Stack) -> None:
        before = [supervisor.now(service, stack.machine) for service in stack.services.values()]
        assert reload(stack.services, (), STAY, stack.machine, str) == ()
        assert before == [supervisor.now(service, stack.machine) for service in stack.services.values()]

    def test_no_grace_is_warned_about(self, stack: Stack) -> None:
        main = Path(stack.php.main)
        main.write_text(main.read_text().replace("process_control_timeout = 5s\n", ""))
        said = reload(stack.services, ("php-fpm",), STAY, stack.machine, str)
        assert len(said) == 1
        assert said[0].startswith(f"process_control_timeout is 0 in {main}")
        assert reload(stack.services, ("nginx",), STAY, stack.machine, str) == ()

    def test_a_dead_service_is_started_on_the_files_that_are_there(self, stack: Stack) -> None:
        stack.write_pool(more="bogus = 1\n")
        with pytest.raises(Failed, match="php-fpm did not take the new configuration and is dead"):
            reload(stack.services, BOTH, STAY, stack.machine, str)
        stack.write_pool()
        notes: List[str] = []
        reload(stack.services, BOTH, STAY, stack.machine, notes.append)
        assert notes == ["reloading php-fpm", "reloading nginx"]
        assert stack.get("/page.php").status == 200

    def test_pools_come_and_go_under_load_without_a_failed_request(self, stack: Stack) -> None:
        two = f"{stack.php.run}/two.sock"
        with Load(f"http://127.0.0.1:{stack.port}/page.php?ms=20", 4, "page of") as load:
            stack.write_pool("two", two)
            stack.write_site(address=f"unix:{two}")
            reload(stack.services, BOTH, SocketMoves((), (f"unix:{two}",)), stack.machine, str)
            time.sleep(0.2)
            stack.write_site()
            stack.remove(f"{stack.pool_folder}/two.conf")
            reload(stack.services, BOTH, SocketMoves((f"unix:{two}",), ()), stack.machine, str)
            time.sleep(0.2)
        assert load.failures == {}
        assert load.answers > 20
        assert not Path(two).exists()

    def test_a_socket_moves_under_load_without_a_failed_request(self, stack: Stack) -> None:
        address = f"{stack.php.run}/moved.sock"
        notes: List[str] = []
        with Load(f"http://127.0.0.1:{stack.port}/page.php?ms=20", 4, "page of") as load:
            time.sleep(0.2)
            moves = moved(stack, address)
            reload(stack.services, BOTH, moves, stack.machine, notes.append)
            time.sleep(0.2)
        assert load.failures == {}
        assert load.answers > 20
        assert moves.bridge
        assert notes == [f"bridging {moves.bridge[0]}", "reloading php-fpm", "reloading nginx", "reloading php-fpm"]
        assert not Path(moves.bridge[0]).exists()
        assert Path(address).exists()
        assert not Path(stack.php.socket).exists()

    def test_the_same_move_without_a_bridge_does_fail_requests(self, stack: Stack) -> None:
        """The test above can fail: this is what it would see."""
        with Load(f"http://127.0.0.1:{stack.port}/page.php?ms=20", 4, "page of") as load:
            time.sleep(0.2)
            moved(stack, f"{stack.php.run}/moved.sock")
            reload(stack.services, BOTH, STAY, stack.machine, str)
            time.sleep(0.2)
        assert any(failure.startswith("502") for failure in load.failures)

    def test_no_bridge_is_left_when_a_service_does_not_take_its_files(self, stack: Stack) -> None:
        moves = moved(stack, f"{stack.php.run}/moved.sock")
        stack.write("etc/nginx/conf.d/bad.conf", "nonsense;\n")
        assert moves.bridge
        Path(moves.bridge[0]).write_text("left by a run that was killed")
        with pytest.raises(Failed, match="nonsense"):
            reload(stack.services, BOTH, moves, stack.machine, str)
        assert not Path(moves.bridge[0]).exists()
        assert stack.get("/page.php").status == 200  # by the bridge, which php-fpm still has in memory
        stack.remove("etc/nginx/conf.d/bad.conf")
        stack.write_pool()
        stack.write_site()
        reload(stack.services, BOTH, STAY, stack.machine, str)
        assert stack.get("/page.php").status == 200
