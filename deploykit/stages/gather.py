"""Facts: the services of this machine, and the plain values that templates see as ``facts.*``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping

from deploykit.model import Facts, Service
from deploykit.services import discovery, php_fpm
from deploykit.system.port import Readable

NONE: Mapping[str, str] = {}


def gather(config_services: Mapping[str, Mapping[str, str]], prefix: str, machine: Readable) -> Facts:
    """Look at the machine; ``config_services`` (``services:`` of deploykit.yml) overrides what was found, field by field.

    With a ``prefix`` every path of the services lies below it and nobody supervises them. Values: ``cores memory_mb
    hostname prefix is_root php_version nginx_version php_worker_mb`` (0 when no worker runs) and ``assumed``: what could
    not be found and was taken for granted, as sentences.
    """
    nginx = discovery.nginx(config_services.get("nginx", NONE), prefix, machine)
    php = discovery.php_fpm(config_services.get("php-fpm", NONE), prefix, machine)
    services = _supervised({"nginx": nginx, "php-fpm": php}, config_services, prefix, machine)
    return Facts(services, _values(services, prefix, machine))


def _supervised(
    services: Mapping[str, Service], settings: Mapping[str, Mapping[str, str]], prefix: str, machine: Readable
) -> Dict[str, Service]:
    """Who supervises each: nobody below a prefix, else what deploykit.yml says, else systemd where it knows the unit."""
    if prefix:
        return {name: replace(service, supervisor="plain") for name, service in services.items()}
    open_question = [name for name in services if services[name].installed and not settings.get(name, NONE).get("supervisor")]
    known = discovery.loaded_units([services[name].unit for name in open_question], machine)
    return {
        name: replace(service, supervisor="systemd") if name in open_question and service.unit in known else service
        for name, service in services.items()
    }


def _values(services: Mapping[str, Service], prefix: str, machine: Readable) -> Dict[str, Any]:
    php = services["php-fpm"]
    children = php_fpm.generation(php, machine).workers
    size = machine.measure([child.pid for child in children if child.title.startswith("php-fpm: pool")])
    return {
        "cores": size["cores"],
        "memory_mb": size["memory_mb"],
        "hostname": machine.read("/proc/sys/kernel/hostname").decode().strip(),
        "prefix": prefix,
        "is_root": machine.is_root(),
        "php_version": php.version or discovery.ASSUMED_PHP,
        "nginx_version": services["nginx"].version,
        "php_worker_mb": size["worker_mb"],
        "assumed": _assumed(services),
    }


def _assumed(services: Mapping[str, Service]) -> List[str]:
    assumed = []
    if not services["nginx"].installed:
        assumed.append("nginx is not installed: the layout of Debian is assumed")
    if not services["php-fpm"].installed:
        version = services["php-fpm"].version or discovery.ASSUMED_PHP
        assumed.append(f"php-fpm is not installed: the layout of Debian with PHP {version} is assumed")
    return assumed
