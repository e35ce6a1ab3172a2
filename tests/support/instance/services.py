"""nginx and php-fpm of an instance as its systemd and its process table see them."""

from __future__ import annotations

from typing import FrozenSet, NamedTuple, Tuple

from support.instance.machine import Machine

Process = Tuple[int, str]  # number, and start time in clock ticks since boot


class Service(NamedTuple):
    """One service at one moment. children: of nginx only those that take new connections."""

    active: str
    restarts: int
    master: int
    children: FrozenSet[Process]


def php_unit(machine: Machine) -> str:
    """``php8.2-fpm.service`` or what it is called on this distribution."""
    return machine.look("sh", "-c", "cd /lib/systemd/system && ls -d php*-fpm.service").split()[0]


def seen(machine: Machine, unit: str) -> Service:
    """The service now."""
    told = machine.look("systemctl", "show", "--property=ActiveState,NRestarts,MainPID", unit)
    values = dict(line.split("=", 1) for line in told.splitlines())
    master = int(values["MainPID"])
    return Service(values["ActiveState"], int(values["NRestarts"]), master, _children(machine, master))


def _children(machine: Machine, master: int) -> FrozenSet[Process]:
    if not master:
        return frozenset()
    script = 'for p in $(cat /proc/$0/task/$0/children); do grep -q "shutting down" /proc/$p/cmdline || cat /proc/$p/stat; done'
    told = machine.look("sh", "-c", script, str(master))
    return frozenset((int(line.split()[0]), line.rpartition(")")[2].split()[19]) for line in told.splitlines() if ")" in line)


def both(machine: Machine) -> Tuple[Service, Service]:
    """nginx and php-fpm now."""
    return seen(machine, "nginx.service"), seen(machine, php_unit(machine))
