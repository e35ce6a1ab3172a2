"""Make the running services take their new files, in the order that loses no request, and prove that each did."""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from deploykit.model import Service, SocketMoves
from deploykit.services import nginx, php_fpm, supervisor
from deploykit.services.generation import Generation
from deploykit.system.port import Machine

LINGER = 5.0  # seconds that a pool's former address is kept for requests which old nginx workers still carry


def order(due: Sequence[str], moves: SocketMoves) -> Tuple[str, ...]:
    """Steps in their order, each a verb and what it is done to.

    An address must be there before nginx asks for it and as long as nginx does. So php-fpm goes first when addresses
    stay or appear, nginx when they only disappear, and when they move a bridge keeps the former ones alive meanwhile.
    """
    if not {"php-fpm", "nginx"} <= set(due):
        return tuple(f"reload {name}" for name in due)
    if not moves.gone:
        return ("reload php-fpm", "reload nginx")
    if not moves.new or moves.bridge is None:
        return ("reload nginx", "drain nginx", "reload php-fpm")
    return ("build bridge", "reload php-fpm", "reload nginx", "drain nginx", "remove bridge", "reload php-fpm")


def reload(
    services: Mapping[str, Service],
    due: Sequence[str],
    moves: SocketMoves,
    machine: Machine,
    note: Callable[[str], None],
    seconds: Optional[float] = None,
) -> Tuple[str, ...]:
    """Reload the services in ``due``, whose files are new, proving each; warnings for the user are returned.

    A service that is not running any more is started: a bad reload kills php-fpm, and an undo comes this way. note is
    told ``reloading SERVICE`` before it happens, for the journal. seconds: for all proofs together, None for as long as
    each may take. ``Failed`` when a service did not
    take its files; no bridge is left behind then either.
    """
    running = _Reloads(services, moves, machine, note, seconds)
    try:
        for step in order(due, moves):
            running.take(step)
    finally:
        running.remove_bridge()
    return _warnings(services, due, machine)


def _warnings(services: Mapping[str, Service], due: Sequence[str], machine: Machine) -> Tuple[str, ...]:
    if "php-fpm" not in due or php_fpm.control_timeout(services["php-fpm"], machine):
        return ()
    main = services["php-fpm"].main
    return (f"process_control_timeout is 0 in {main}: a reload of php-fpm cuts the requests in progress; set it to 10s or so",)


class _Reloads:
    """The steps of one reload; it remembers each service's former processes, and whether the bridge stands."""

    def __init__(
        self,
        services: Mapping[str, Service],
        moves: SocketMoves,
        machine: Machine,
        note: Callable[[str], None],
        seconds: Optional[float],
    ) -> None:
        self._services = services
        self._moves = moves
        self._machine = machine
        self._note = note
        self._until = None if seconds is None else machine.monotonic() + seconds
        self._bridges: List[str] = []
        self._former: Dict[str, Generation] = {}

    def take(self, step: str) -> None:
        verb, name = step.split(" ", 1)
        if verb == "reload":
            self._reload(self._services[name])
        elif verb == "drain":
            nginx.drained(self._services[name], self._machine, self._former[name], LINGER)
        elif verb == "build":
            self._build_bridge()
        else:
            self.remove_bridge()

    def _reload(self, service: Service) -> None:
        before = self._former[service.name] = supervisor.now(service, self._machine)
        self._note(f"reloading {service.name}")
        if before.master is None:
            supervisor.revive(service, self._machine)
            return
        supervisor.reload(service, self._machine)
        left = None if self._until is None else max(self._until - self._machine.monotonic(), 0.2)
        supervisor.prove(service, self._machine, before, left)

    def _build_bridge(self) -> None:
        if self._moves.bridge is None:
            return
        path, text = self._moves.bridge
        self._note(f"bridging {path}")
        if self._machine.find(path).there:  # left by a run that was killed
            self._machine.remove(path)
        self._bridges.append(path)
        self._machine.write_new(path, text.encode(), 0o600, *self._machine.own_ids())

    def remove_bridge(self) -> None:
        while self._bridges:
            path = self._bridges.pop()
            if self._machine.find(path).there:
                self._machine.remove(path)
