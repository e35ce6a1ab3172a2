"""From a path in deploykit.yml to a path on this machine: pure text, nothing is looked up."""

from __future__ import annotations

import re
from typing import Optional

from deploykit.errors import InvalidInput, Location
from deploykit.model import Service

_EXPRESSION = re.compile(r"\{\{.*?\}\}")


def fault(path: str) -> str:
    """Why a path may not stand below a folder, ``""`` when it may. ``{{ }}`` counts as a name until it is rendered."""
    parts = _EXPRESSION.sub("x", path).split("/")
    if path.startswith("/"):
        return "is absolute"
    if ".." in parts or "." in parts:
        return 'has a part ".." or "."'
    if "" in parts:
        return "has an empty part"
    if not path.isprintable():
        return "has a control character"
    return ""


def live_path(service: Service, rest: str, at: Optional[Location] = None) -> str:
    """Absolute path on this machine of ``rest``, a path below ``config_templates/SERVICE/``.

    The first folder may have another name here: ``pool.d`` is ``php-fpm.d`` on Amazon Linux (``service.folders``).
    Raises InvalidInput at ``at`` when it is absolute, or has a part that is empty, ``.`` or ``..``.
    """
    why = fault(rest)
    if why:
        raise InvalidInput(f'the path "{rest}" {why}', at=at, hint=f"write it relative to the folder of {service.name}")
    first, slash, tail = rest.partition("/")
    mapped = dict(service.folders).get(first, first) if slash else first
    return f"{service.root}/{mapped}{slash}{tail}"


def below(prefix: str, path: str) -> str:
    """An absolute path, seen from the folder that stands for ``/`` (``""`` is the machine itself)."""
    return prefix.rstrip("/") + path
