"""The tables that say what may stand in deploykit.yml, and how it is read."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterator, Tuple

from deploykit.config.convert import ListOf, MapOf, Matching, OneOf, Placed, Reader, Section, boolean, only_pair, placed, text
from deploykit.config.document import Config, Environment, FileEntry, Layer
from deploykit.config.node import Node, nearest
from deploykit.config.scalars import free_form
from deploykit.config.shapes import (
    ACCOUNT,
    DOTTED,
    NAME,
    SECRET,
    absolute_path,
    below_service,
    bundle_path,
    duration,
    folder,
    format_version,
    literal,
    mode,
    removed_path,
    service_path,
    statuses,
)
from deploykit.config.variables import layer
from deploykit.errors import InvalidInput, Location
from deploykit.model import EVENTS, Probe, StepSpec


def _event(name: str, at: Location) -> None:
    if name not in EVENTS:
        hint = "the events: " + ", ".join(EVENTS)
        raise InvalidInput(f'unknown event "{name}"{nearest(name, EVENTS)}', at=at, hint=hint)


def _step(node: Node) -> StepSpec:
    name, child = only_pair(node, "a step: a map with one key, its name")
    return StepSpec(name, None if child.empty else free_form(child), child.key_at)


def _environment(name: str, at: Location) -> None:
    if not re.fullmatch(r"[\w.-]+", name):
        raise InvalidInput(f'an environment cannot be named "{name}"', at=at, hint="use letters, digits, - _ and .")


def _file_key(path: str, at: Location) -> None:
    below_service(path, at)
    literal(path, at)


def _file_entry(node: Node, given: Dict[str, Any]) -> FileEntry:
    entry = FileEntry(at=node.key_at, **given)
    if entry.delete and len(given) > 1:
        raise InvalidInput("delete: true stands alone", at=node.at, hint="remove the other keys, or delete:")
    if "item" in given and not entry.each:
        at = node.children["item"].key_at
        raise InvalidInput("item: without each:", at=at, hint="name the list to go through with each:")
    if entry.each and "{{" not in entry.to:
        hint = f'write something like to: "nginx/conf.d/{{{{ {entry.item}.name }}}}.conf"'
        raise InvalidInput("each: makes several files, but to: gives them one name", at=node.children["each"].key_at, hint=hint)
    return entry


def _probe(kind: str) -> Callable[[Node, Dict[str, Any]], Probe]:
    return lambda node, given: Probe(kind, at=node.key_at, **given)


_NGINX: Dict[str, Reader[Any]] = {
    "unit": Matching(r"[A-Za-z0-9_.@:\\-]+", "the name of a systemd unit, like nginx or php8.2-fpm"),
    "binary": absolute_path,
    "root": absolute_path,
    "main": absolute_path,
    "pid_file": absolute_path,
    "error_log": absolute_path,
    "user": ACCOUNT,
}
_PHP_FPM: Dict[str, Reader[Any]] = {
    "version": Matching(r"[0-9]+\.[0-9]+", 'a version of PHP, like "8.2"'),
    **_NGINX,
    "socket": absolute_path,
    "run": absolute_path,
}
_FILE: Section[FileEntry] = Section(
    _file_entry,
    {
        "to": service_path,
        "mode": mode,
        "owner": ACCOUNT,
        "group": ACCOUNT,
        "when": text,
        "each": DOTTED,
        "item": NAME,
        "delete": boolean,
    },
)
_FILES: MapOf[FileEntry] = MapOf(_FILE, _file_key)
_ASKED: Dict[str, Reader[Any]] = {"body": text, "timeout": duration, "within": duration, "rehearse": boolean}
_HTTP: Section[Probe] = Section(
    _probe("http"),
    {
        "url": Matching(r"https?://\S.*|.*\{\{.*", "a URL, like http://127.0.0.1/health"),
        "host": text,
        "method": Matching(r"[A-Z]+", "a method in capitals, like GET"),
        "expect": statuses,
        **_ASKED,
    },
    required=("url",),
)
_FASTCGI: Section[Probe] = Section(
    _probe("fastcgi"),
    {
        "address": Matching(r"auto|unix:/.+|[^\s/]+:[0-9]+|.*\{\{.*", "auto, unix:/path/of/a.sock or host:port"),
        "path": Matching(r"/.*|.*\{\{.*", "a path, like /fpm-ping"),
        **_ASKED,
    },
    required=("address", "path"),
)


def _as_given(node: Node, given: Dict[str, Any]) -> Dict[str, Any]:
    return given


def _document(variables: Reader[Layer]) -> Dict[str, Reader[Any]]:
    group: Section[Layer] = Section(lambda node, given: given.get("variables", Layer()), {"variables": variables})
    environment: Section[Environment] = Section(
        lambda node, given: Environment(**given), {"groups": ListOf(text), "file": bundle_path, "variables": variables}
    )
    return {
        "version": format_version,
        "application": placed,
        "services": Section(_as_given, {"nginx": Section(_as_given, _NGINX), "php-fpm": Section(_as_given, _PHP_FPM)}),
        "writable": ListOf(folder),
        "variables": variables,
        "secrets": ListOf(lambda node: Placed(SECRET(node), node.at)),
        "environments": MapOf(environment, _environment),
        "groups": MapOf(group),
        "instance": absolute_path,
        "files": _FILES,
        "remove": ListOf(removed_path),
        "probes": ListOf(OneOf({"http": _HTTP, "fastcgi": _FASTCGI})),
        "events": MapOf(ListOf(_step), _event),
    }


def read_document(node: Node) -> Config:
    """deploykit.yml as a Config. Raises InvalidInput that holds every error of the document."""
    if node.empty:
        raise InvalidInput("the file is empty", at=node.at, hint="deploykit docs shows an example with every key")
    secrets = {entry.text.split(".")[0] for entry in node.children["secrets"].entries} if "secrets" in node.children else ()
    given = Section(_as_given, _document(lambda variables: layer(variables, secrets)))(node)
    return Config(**{key: value for key, value in given.items() if key != "version"})


def keys() -> Tuple[str, ...]:
    """Every key of the schema as a dotted path, ``*`` for names of the user's own: for the documentation and its test."""
    return tuple(_keys(Section(_as_given, _document(layer)), ""))


def _keys(reader: Any, path: str) -> Iterator[str]:
    if isinstance(reader, (ListOf, MapOf)):
        yield from _keys(reader.inner, f"{path}.*" if isinstance(reader, MapOf) else path)
    for key, inner in getattr(reader, "table", {}).items():
        below = f"{path}.{key}".lstrip(".")
        yield below
        yield from _keys(inner, below)
