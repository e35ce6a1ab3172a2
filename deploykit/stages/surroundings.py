"""What the rules may know besides the text: from the machine where it is the target, and from what the user tells."""

from __future__ import annotations

import posixpath
import re
from typing import Any, Callable, Dict, FrozenSet, Mapping, Optional, Tuple

from deploykit.errors import InvalidInput, Location
from deploykit.model import Service
from deploykit.rules.rule import Surroundings
from deploykit.system.port import Readable

KEYS = (
    "accounts",
    "groups",
    "addresses",
    "folders",
    "missing",
    "nginx_version",
    "nginx_modules",
    "php_version",
    "open_files",
    "nr_open",
    "somaxconn",
    "memory_mb",
    "environment",
    "hosts",
    "behind_load_balancer",
)
_APPLICATIONS = ("/srv", "/var/www", "/opt", "/home")
_DEFAULT_SITES = {"html"}  # what Debian's nginx brings
_NUMBERS = ("open_files", "nr_open", "somaxconn", "memory_mb")
_NAMES = ("accounts", "groups", "addresses", "nginx_modules")


def surroundings(services: Mapping[str, Service], told: Mapping[str, Any], machine: Readable, at: str) -> Surroundings:
    """Facts for the rules.

    The machine is asked only where both services are installed on it, as on an instance; elsewhere nobody can say whether
    an account or a folder will be there. told: facts by the user, which win. at: the file they are in.
    """
    for key in told:
        if key not in KEYS:
            raise InvalidInput(f"unknown fact {key!r}", at=Location(at), hint=f"the facts are {', '.join(KEYS)}")
    known: Dict[str, Any] = {"today": machine.wall_clock()}
    if all(service.installed for service in services.values()):
        known.update(_of_machine(services, machine))
    known.update(_told(told))
    known["exists"] = _exists(told, known.get("exists"))
    return Surroundings(**known)


def _of_machine(services: Mapping[str, Service], machine: Readable) -> Dict[str, Any]:
    accounts, groups, members = machine.accounts()
    version, modules = _nginx(services["nginx"], machine)
    known = {
        "accounts": accounts,
        "groups": groups,
        "groups_of": members,
        "exists": lambda path: _there(path, machine),
        "names": machine.names,
        "read": lambda path: machine.read(path) if machine.find(path).kind == "file" else None,
        "nginx_version": version,
        "nginx_modules": modules,
        "php_version": _version(services["php-fpm"].version),
        "nr_open": _number("/proc/sys/fs/nr_open", machine),
        "somaxconn": _number("/proc/sys/net/core/somaxconn", machine),
        "open_files": _open_files(services["nginx"], machine),
        "memory_mb": machine.measure(())["memory_mb"],
    }
    return {key: value for key, value in known.items() if value is not None}


def _there(path: str, machine: Readable) -> Optional[bool]:
    """Is it there? None where this machine may be without the application: then nothing that lies beside it is there either.

    What is missing in a folder that exists is missing. A folder that is missing with those above it says little, unless
    other applications lie where it should.
    """
    if machine.find(path).there:
        return True
    if path in _APPLICATIONS:
        return None
    above = posixpath.dirname(path)
    if machine.find(above).there:
        return False
    while not machine.find(above).there:
        above = posixpath.dirname(above)
    return False if set(machine.names(above)) - _DEFAULT_SITES and above in _APPLICATIONS else None


def _told(told: Mapping[str, Any]) -> Dict[str, Any]:
    known: Dict[str, Any] = {name: frozenset(map(str, told[name])) for name in _NAMES if name in told}
    known.update({name: int(told[name]) for name in _NUMBERS if name in told})
    for name in ("nginx_version", "php_version"):
        if name in told:
            known[name] = _version(str(told[name]))
    if "environment" in told:
        known["environment"] = {str(k): str(v) for k, v in dict(told["environment"]).items()}
    if "behind_load_balancer" in told:
        known["behind_load_balancer"] = bool(told["behind_load_balancer"])
    if "hosts" in told:
        hosts = frozenset(map(str, told["hosts"]))
        known["resolve"] = lambda name: name in hosts
    return known


def _exists(told: Mapping[str, Any], of_machine: Optional[Callable[[str], Optional[bool]]]) -> Callable[[str], Optional[bool]]:
    """Told paths count first; a folder that is told exists with all above it, and one that is missing with all below."""
    there = tuple(str(path).rstrip("/") for path in told.get("folders", ()))
    missing = tuple(str(path).rstrip("/") for path in told.get("missing", ()))

    def exists(path: str) -> Optional[bool]:
        path = path.rstrip("/") or "/"
        if any(path == one or path.startswith(one + "/") for one in missing):
            return False
        if any(path == one or one.startswith(path + "/") for one in there):
            return True
        return of_machine(path) if of_machine else None

    return exists


def _nginx(service: Service, machine: Readable) -> Tuple[Optional[Tuple[int, ...]], Optional[FrozenSet[str]]]:
    said = machine.ask((service.binary, "-V"), 5.0).output
    found = re.search(r"nginx/([0-9.]+)", said)
    modules = frozenset(re.findall(r"--with-(\w+_module)", said)) - frozenset(re.findall(r"--with-(\w+_module)=dynamic", said))
    return (_version(found[1]) if found else None), (modules if found else None)


def _version(text: str) -> Optional[Tuple[int, ...]]:
    numbers = re.findall(r"\d+", text)
    return tuple(map(int, numbers)) or None


def _number(path: str, machine: Readable) -> Optional[int]:
    try:
        return int(machine.read(path))
    except (OSError, ValueError):
        return None


def _open_files(service: Service, machine: Readable) -> Optional[int]:
    """The limit of the running service, else ours: what nginx itself would compare with."""
    master = machine.master(service.pid_file)
    try:
        limits = machine.read(f"/proc/{master.pid if master else 'self'}/limits").decode()
    except OSError:
        return None
    found = re.search(r"^Max open files +(\d+)", limits, re.MULTILINE)
    return int(found[1]) if found else None
