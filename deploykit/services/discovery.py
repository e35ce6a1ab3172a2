"""What nginx and php-fpm are on this machine: found by looking, and overridden field by field in deploykit.yml."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Mapping, Sequence, Tuple

from deploykit.model import Service
from deploykit.system.port import Readable

PATHS = ("root", "main", "pid_file", "error_log", "socket", "run")
FIELDS = (*PATHS, "user", "binary", "version", "unit", "supervisor")
ASSUMED_PHP = "8.2"


def nginx(settings: Mapping[str, str], prefix: str, machine: Readable) -> Service:
    """nginx as it is here; its paths lie below ``prefix``, its program is the machine's."""
    root = settings.get("root") or "/etc/nginx"
    binary = machine.tool(settings["binary"]) if "binary" in settings else machine.tool("nginx", "/usr/sbin/nginx")
    defaults = {
        "root": root,
        "main": f"{root}/nginx.conf",
        "pid_file": "/run/nginx.pid",
        "error_log": "/var/log/nginx/error.log",
        "run": "/run",
        "user": _first_account(("nginx",), "www-data", machine),
        "binary": binary,
        "version": "" if settings.get("version") or not binary else _version((binary, "-v"), r"nginx/([\d.]+)", machine),
        "unit": "nginx.service",
    }
    return _service("nginx", {**defaults, **_known(settings), "binary": binary}, prefix, writable=(root,))


def php_fpm(settings: Mapping[str, str], prefix: str, machine: Readable) -> Service:
    """php-fpm as it is here: Debian's layout by version, or that of Amazon Linux and RHEL."""
    binary = machine.tool(settings["binary"]) if "binary" in settings else _newest(settings.get("version", ""), machine)
    version = settings.get("version") or _php_version(binary, machine)
    if _is_red_hat(binary, version, machine):
        return _php_red_hat({**_known(settings), "binary": binary, "version": version}, prefix, machine)
    return _php_debian({**_known(settings), "binary": binary, "version": version}, prefix)


def _php_debian(settings: Mapping[str, str], prefix: str) -> Service:
    version = settings["version"] or ASSUMED_PHP
    root = settings.get("root") or f"/etc/php/{version}/fpm"
    run = settings.get("run") or "/run/php"
    defaults = {
        "root": root,
        "main": f"{root}/php-fpm.conf",
        "pid_file": f"{run}/php{version}-fpm.pid",
        "socket": f"{run}/php{version}-fpm.sock",
        "run": run,
        "error_log": f"/var/log/php{version}-fpm.log",
        "unit": f"php{version}-fpm.service",
        "user": "www-data",
    }
    return _service("php-fpm", {**defaults, **settings}, prefix, writable=(root,))


def _php_red_hat(settings: Mapping[str, str], prefix: str, machine: Readable) -> Service:
    root = settings.get("root") or "/etc"
    run = settings.get("run") or "/run/php-fpm"
    folders = (("pool.d", "php-fpm.d"), ("conf.d", "php.d"))
    defaults = {
        "root": root,
        "main": f"{root}/php-fpm.conf",
        "pid_file": f"{run}/php-fpm.pid",
        "socket": f"{run}/www.sock",
        "run": run,
        "error_log": "/var/log/php-fpm/error.log",
        "unit": "php-fpm.service",
        "user": _first_account(("nginx", "apache"), "apache", machine),
    }
    own = tuple(f"{root}/{name}" for name in ("php-fpm.conf", "php-fpm.d", "php.d"))
    return _service("php-fpm", {**defaults, **settings}, prefix, writable=own, folders=folders)


def loaded_units(units: Iterable[str], machine: Readable) -> Tuple[str, ...]:
    """Those of the units that systemd knows, all asked at once; ``()`` where systemd is not at work."""
    wanted = [unit for unit in units if unit]
    if not wanted or machine.find("/run/systemd/system").kind != "folder":
        return ()
    answer = machine.ask(("systemctl", "show", "--property=Id,LoadState", *wanted)).output
    pairs: List[Dict[str, str]] = [
        dict(line.split("=", 1) for line in b.splitlines() if "=" in line) for b in answer.split("\n\n")
    ]
    loaded = {pair.get("Id", "") for pair in pairs if pair.get("LoadState") == "loaded"}
    return tuple(unit for unit in wanted if unit in loaded)


def _service(
    name: str, values: Mapping[str, str], prefix: str, writable: Sequence[str], folders: Tuple[Tuple[str, str], ...] = ()
) -> Service:
    below = {field: _below(prefix, values.get(field, "")) for field in PATHS}
    rest = {field: values[field] for field in FIELDS if field not in PATHS and values.get(field)}
    return Service(name=name, **below, **rest, folders=folders, writable=tuple(_below(prefix, path) for path in writable))


def _below(prefix: str, path: str) -> str:
    return path if not path or not prefix or path.startswith(f"{prefix}/") else prefix + path


def _known(settings: Mapping[str, str]) -> Dict[str, str]:
    return {field: str(value) for field, value in settings.items() if field in FIELDS and value}


def _first_account(names: Sequence[str], otherwise: str, machine: Readable) -> str:
    return next((name for name in names if machine.uid(name) is not None), otherwise)


def _newest(version: str, machine: Readable) -> str:
    """Path of php-fpm: of this version, or the newest that its name tells, or the only one."""
    if version:
        return machine.tool(f"php-fpm{version}", f"/usr/sbin/php-fpm{version}", "php-fpm", "/usr/sbin/php-fpm")
    found = [re.fullmatch(r"php-fpm(\d+)\.(\d+)", name) for name in machine.names("/usr/sbin")]
    versions = sorted((int(match.group(1)), int(match.group(2)), match.group()) for match in found if match)
    return f"/usr/sbin/{versions[-1][2]}" if versions else machine.tool("php-fpm", "/usr/sbin/php-fpm")


def _php_version(binary: str, machine: Readable) -> str:
    named = re.search(r"php-fpm(\d+\.\d+)$", binary)
    if named:
        return named.group(1)
    return _version((binary, "-v"), r"PHP (\d+\.\d+)", machine) if binary else ""


def _version(argv: Sequence[str], pattern: str, machine: Readable) -> str:
    found = re.search(pattern, machine.ask(argv).output)
    return found.group(1) if found else ""


def _is_red_hat(binary: str, version: str, machine: Readable) -> bool:
    """A program without a version in its name comes from Amazon Linux or RHEL, unless Debian's folder is there."""
    if not binary or re.search(r"php-fpm\d", binary):
        return False
    return machine.find(f"/etc/php/{version}/fpm").kind != "folder"
