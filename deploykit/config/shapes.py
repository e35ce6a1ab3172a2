"""Readers of single values in deploykit.yml: paths, modes, durations, statuses, names."""

from __future__ import annotations

import re
from typing import Tuple

from deploykit.config.convert import ListOf, Matching, Placed, integer, scalar, text, wrong
from deploykit.config.node import Node, nearest
from deploykit.config.places import fault
from deploykit.errors import InvalidInput, Location
from deploykit.model import SERVICES

ACCOUNT = Matching(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?", "the name of an account, like www-data")
NAME = Matching(r"[A-Za-z_][A-Za-z0-9_]*", "a name made of letters, digits and _")
DOTTED = Matching(r"[A-Za-z_]\w*(\.\w+)*", "the name of a list variable, like sites")
SECRET = Matching(r"[A-Za-z_]\w*(\.([\w-]+|\*))*", "the name of a variable, like db_password or sites.*.password")


def absolute_path(node: Node) -> str:
    """An absolute path, without double or last slashes."""
    path = text(node)
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts or not path.isprintable():
        raise wrong(node, "an absolute path without ..")
    return "/" + "/".join(part for part in parts if part not in ("", "."))


def folder(node: Node) -> str:
    """A folder below which files may be written."""
    path = absolute_path(node)
    if path.count("/") < 2:
        raise InvalidInput(f'the folder "{path}" is too wide', at=node.at, hint="name the folder that the files are in")
    return path


def bundle_path(node: Node) -> Placed:
    """A path below the bundle."""
    path = text(node)
    if fault(path):
        raise InvalidInput(f'the path "{path}" {fault(path)}', at=node.at, hint="write it relative to deploykit.yml")
    return Placed(path, node.at)


def service_path(node: Node) -> str:
    """A path that begins with the folder of a service; the rest may hold ``{{ }}``."""
    path = text(node)
    below_service(path, node.at)
    return path


def removed_path(node: Node) -> Placed:
    """The same without ``{{ }}``, with its place."""
    path = service_path(node)
    literal(path, node.at)
    return Placed(path, node.at)


def literal(path: str, at: Location) -> None:
    """Raises InvalidInput for a path with ``{{ }}``."""
    if "{{" in path:
        raise InvalidInput("this path is taken as it is and holds no {{ }}", at=at, hint="write it out")


def below_service(path: str, at: Location) -> None:
    """Raises InvalidInput unless ``path`` is one below ``nginx/`` or ``php-fpm/``."""
    why = fault(path)
    first, _, rest = path.partition("/")
    if not why and (first not in SERVICES or not rest):
        near = nearest(first, SERVICES) if rest else ""
        why = "does not begin with " + " or ".join(f"{service}/" for service in SERVICES) + near
    if why:
        raise InvalidInput(f'the path "{path}" {why}', at=at, hint='write it like "nginx/conf.d/app.conf"')


def mode(node: Node) -> int:
    """Octal digits in quotes -> the mode: ``"0640"`` is 0o640."""
    hint = 'write three octal digits in quotes, like "0640"'
    if node.kind == "quoted" and re.fullmatch("0?[0-7]{3}", node.text, re.ASCII):
        return int(node.text, 8)
    if node.kind == "plain" and re.fullmatch("0?[0-7]{3}", node.text, re.ASCII):
        raise InvalidInput(f"the mode {node.text} is not in quotes", at=node.at, hint=f'write "0{node.text[-3:]}"')
    raise wrong(node, "a mode", hint)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(node: Node) -> float:
    """Seconds, of a number or of text with a unit."""
    value = scalar(node)
    match = re.fullmatch("([0-9]{1,9})(ms|s|m|h)", value) if isinstance(value, str) else None
    if match:
        value = int(match[1]) * _UNITS[match[2]]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9:
        return float(value)
    raise wrong(node, "a duration above 0", "write seconds, or a number with its unit: 500ms, 10s, 2m, 1h")


def format_version(node: Node) -> int:
    """The version of the file's format."""
    version = integer(node)
    if version != 1:
        raise InvalidInput(f"version {version} of this file", at=node.at, hint="this deploykit reads version 1")
    return version


def _status(node: Node) -> int:
    status = integer(node)
    if not 100 <= status <= 599:
        raise wrong(node, "a status from 100 to 599")
    return status


def statuses(node: Node) -> Tuple[int, ...]:
    """One HTTP status, or a list of them."""
    if node.kind != "list":
        return (_status(node),)
    if not node.entries:
        raise wrong(node, "at least one status")
    return ListOf(_status)(node)
