"""Agent v1 (Ruby): what it accepts, and what it understands. It checks in the order of this page; the first error ends it."""

from __future__ import annotations

from typing import Callable, Dict, Iterator, Optional, Tuple, TypeVar

from deploykit.appspec import ruby
from deploykit.appspec.document import Tree
from deploykit.appspec.ruby import RubyError, Value, index, no_method, to_s
from deploykit.appspec.spec import DEFAULT_TIMEOUT, Appspec, FileCopy, Permission, Script
from deploykit.appspec.v1_permissions import read_permission
from deploykit.appspec.values import each, fetch, load
from deploykit.appspec.verdict import Rejection, shown
from deploykit.errors import Location

Read = TypeVar("Read")

BEHAVIOURS = ("DISALLOW", "OVERWRITE", "RETAIN")


def read(tree: Tree, file: str) -> Appspec:
    """The appspec as agent v1 understands it. Raises ``Rejection`` where it refuses the file."""
    if tree.problem:
        raise Rejection("syntax", f"SyntaxError: {shown(tree.problem.message, 200)}", tree.problem.at, tree.problem.hint)
    value = load(tree.root) if tree.root else None
    if value is None or not value.truthy:
        raise Rejection(
            "empty", "the application specification file was empty", Location(file), "begin with `version: 0.0` and `os: linux`"
        )
    return _appspec(value)


def _appspec(value: Value) -> Appspec:
    with _Shape("the file must be a map of version, os, hooks, files and permissions", value.at):
        sections = {name: index(value, name) for name in ("version", "os", "hooks", "files", "permissions")}
    _version(value, sections["version"])
    _os(value, sections["os"])
    return Appspec(
        hooks=_hooks(sections["hooks"]),
        files=_files(sections["files"]),
        permissions=_permissions(sections["permissions"]),
        file_exists_behavior=_behaviour(index(value, "file_exists_behavior")),
    )


class _Shape:
    """Ruby dies of a wrong shape with a raw error of its own: say which shape it should have been."""

    def __init__(self, wanted: str, at: Location) -> None:
        self.wanted = wanted
        self.at = at

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, RubyError):
            raise Rejection("shape", f"{self.wanted} ({shown(str(error), 160)})", self.at) from None


def _version(whole: Value, version: Value) -> None:
    if version.kind not in ("int", "float") or version.content != 0:
        at = whole.at if version.nil else version.at
        message = f"invalid version value ({shown(to_s(version))})"
        raise Rejection("version", message, at, "write `version: 0.0`, without quotes")


def _os(whole: Value, name: Value) -> None:
    if name.kind != "text" or name.content != "linux":
        at = whole.at if name.nil else name.at
        raise Rejection("os", f"unsupported operating system ({shown(to_s(name))})", at, "write `os: linux`")


def _hooks(hooks: Value) -> Dict[str, Tuple[Script, ...]]:
    if not hooks.truthy:
        return {}
    with _Shape("hooks must be a map from events to lists of scripts", hooks.at):
        if hooks.kind != "map":
            raise no_method("each_pair", hooks)
    return {to_s(event): _scripts(to_s(event), scripts) for event, scripts in hooks.pairs() if scripts.truthy}


def _scripts(event: str, scripts: Value) -> Tuple[Script, ...]:
    wanted = f"hooks.{shown(event, 40)} must be a list of scripts, each a map with its location"
    with _Shape(wanted, scripts.at):
        return tuple(_each_shaped(scripts, wanted, _script))


def _each_shaped(values: Value, wanted: str, read_one: Callable[[Value], Read]) -> Iterator[Read]:
    for one in each(values):
        with _Shape(wanted, one.at):
            yield read_one(one)


def _script(script: Value) -> Script:
    location = fetch(script, "location")
    written = "" if location.nil else ruby.strip(to_s(location))
    if not written:
        at = script.at if location.nil else location.at
        raise Rejection("location", "a script with no location value", at, "name the script, below the bundle")
    runas = index(script, "runas")
    timeout = index(script, "timeout")
    return Script(
        location=written,
        timeout=_timeout(timeout),
        runas="" if runas.nil else ruby.strip(to_s(runas)),
        sudo=index(script, "sudo").truthy,
        at=script.at,
        stated=timeout.truthy,
    )


def _timeout(timeout: Value) -> int:
    if not timeout.truthy:
        return DEFAULT_TIMEOUT
    seconds = _seconds(timeout)
    if seconds <= 0:
        raise Rejection(
            "timeout", f"invalid timeout value ({shown(to_s(timeout))})", timeout.at, "write seconds as an integer above 0"
        )
    return seconds


def _seconds(timeout: Value) -> int:
    if timeout.kind == "text":
        return ruby.to_i(timeout.content)
    if timeout.kind not in ("int", "float"):
        with _Shape("a timeout must be an integer", timeout.at):
            raise no_method("to_i", timeout)
    try:
        return int(timeout.content)
    except (ValueError, OverflowError):
        raise Rejection("timeout", f"FloatDomainError: {to_s(timeout)}", timeout.at) from None


def _files(files: Value) -> Tuple[FileCopy, ...]:
    if not files.truthy:
        return ()
    wanted = "files must be a list of maps with source and destination"
    with _Shape(wanted, files.at):
        return tuple(_each_shaped(files, wanted, _file))


def _file(entry: Value) -> FileCopy:
    source, destination = index(entry, "source"), index(entry, "destination")
    if source.nil:
        raise Rejection("source", "a destination file, but no source file", entry.at, "name the source, below the bundle")
    if destination.nil:
        raise Rejection(
            "destination", f"only a source file ({shown(to_s(source))}), but no destination", entry.at, "name a folder"
        )
    return FileCopy(to_s(source), to_s(destination), entry.at)


def _permissions(permissions: Value) -> Tuple[Permission, ...]:
    if not permissions.truthy:
        return ()
    wanted = "permissions must be a list of maps, in which type, except and acls are lists"
    with _Shape(wanted, permissions.at):
        return tuple(_each_shaped(permissions, wanted, read_permission))


def _behaviour(value: Value) -> str:
    if value.nil:
        return ""
    if value.kind != "text" or value.content not in BEHAVIOURS:
        raise Rejection(
            "file-exists-behavior",
            f"invalid file_exists_behavior value ({shown(to_s(value))})",
            value.at,
            "write DISALLOW, OVERWRITE or RETAIN, in capitals",
        )
    return str(value.content)
