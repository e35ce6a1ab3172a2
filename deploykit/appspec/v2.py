"""Agent v2 (Rust): what it accepts, and what it understands. First every value gets its type, then the values are looked at.

From its source, versions 2.0.0 to 2.1.0. It differs from v1 where serde_yaml differs from Psych: aliases and dates are fine,
numbers in quotes, ``yes`` and known keys written twice are not.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple

from deploykit.appspec import serde
from deploykit.appspec.document import Node, Tree, walk
from deploykit.appspec.spec import DEFAULT_TIMEOUT, Appspec, FileCopy, Script
from deploykit.appspec.v2_permissions import permission_fields, read_permission
from deploykit.appspec.verdict import Rejection, shown
from deploykit.errors import Location

BEHAVIOURS = ("DISALLOW", "OVERWRITE", "RETAIN")
_TINY = 2.0**-52

Fields = Dict[str, Node]


def read(tree: Tree, file: str) -> Appspec:
    """The appspec as agent v2 understands it. Raises ``Rejection`` where it refuses the file."""
    root = _root(tree, file)
    known = struct(root, "the file", ("version", "os", "hooks", "files", "permissions", "file_exists_behavior"), tree)
    for name in ("version", "os"):
        if name not in known:
            raise Rejection(name, f"missing field `{name}`", root.at, "begin with `version: 0.0` and `os: linux`")
    typed = _Typed(known, tree)
    _check_version(known["version"])
    _check_os(known["os"])
    return Appspec(
        file_exists_behavior=_behaviour(known.get("file_exists_behavior")),
        hooks={event: tuple(_script(*one) for one in scripts) for event, scripts in typed.hooks.items() if scripts},
        files=tuple(_file(*one) for one in typed.files),
        permissions=tuple(read_permission(*one) for one in typed.permissions),
    )


def _root(tree: Tree, file: str) -> Node:
    problem = tree.problem or tree.after
    if problem:
        raise Rejection("syntax", shown(problem.message, 200), problem.at, problem.hint)
    if tree.more:
        hint = "remove the line `---` and what follows it"
        raise Rejection("documents", "more than one document is not supported", tree.more, hint)
    if tree.root is None:
        raise Rejection("empty", "the application specification file was empty", Location(file))
    _check_anchors(tree.root)
    return tree.root


def _check_anchors(root: Node) -> None:
    for node in walk(root):
        if node.kind == "alias" and node.target < 0:
            raise Rejection("alias", f"unknown anchor: {shown(node.text, 40)}", node.at)


def struct(node: Node, what: str, names: Tuple[str, ...], tree: Tree) -> Fields:
    """The values of the known keys of a map; the others are passed over. Raises ``Rejection`` where one is written twice."""
    found: Fields = {}
    for name, key, value in serde.fields(node, what, tree):
        if name in names and name in found:
            raise Rejection("duplicate-key", f"duplicate field `{name}`", key.at, "keep one of the two")
        found[name] = value
    return {name: value for name, value in found.items() if name in names}


class _Typed:
    """The lists below the top, each entry with its known keys, once every value has been given its type."""

    def __init__(self, known: Fields, tree: Tree) -> None:
        serde.floating(known["version"], "version")
        serde.text(known["os"], "os")
        self.hooks: Dict[str, List[Tuple[Node, Fields]]] = {}
        if "hooks" in known:
            for event, _, scripts in serde.fields(known["hooks"], "hooks", tree):
                given = None if serde.missing(scripts) else scripts
                self.hooks[event] = _entries(given, f"hooks.{event}", _script_fields, tree)
        self.files = _entries(known.get("files"), "files", _file_fields, tree)
        self.permissions = _entries(known.get("permissions"), "permissions", permission_fields, tree)
        behaviour = known.get("file_exists_behavior")
        if behaviour and not serde.missing(behaviour):
            serde.text(behaviour, "file_exists_behavior")


def _entries(
    node: Optional[Node], what: str, read_fields: Callable[[Node, str, Tree], Fields], tree: Tree
) -> List[Tuple[Node, Fields]]:
    if node is None:
        return []
    entries = [serde.followed(one, tree) for one in serde.sequence(node, shown(what, 40))]
    return [(one, read_fields(one, f"{shown(what, 40)}[{place}]", tree)) for place, one in enumerate(entries)]


def _script_fields(node: Node, what: str, tree: Tree) -> Fields:
    known = struct(node, what, ("location", "runas", "sudo", "timeout"), tree)
    given = {name: value for name, value in known.items() if not serde.missing(value)}
    for name, value in given.items():
        if name == "sudo":
            serde.boolean(value, f"{what}.sudo")
        elif name == "timeout":
            serde.unsigned(value, f"{what}.timeout")
        else:
            serde.text(value, f"{what}.{name}")
    return given


def _file_fields(node: Node, what: str, tree: Tree) -> Fields:
    known = struct(node, what, ("source", "destination"), tree)
    given = {name: value for name, value in known.items() if not serde.missing(value)}
    for name, value in given.items():
        serde.text(value, f"{what}.{name}")
    return given


def _check_version(node: Node) -> None:
    number = serde.floating(node, "version")
    if not abs(number) < _TINY:
        raise Rejection("version", f"invalid version value ({shown(node.text, 40)})", node.at, "write `version: 0.0`")


def _check_os(node: Node) -> None:
    # It knows windows too, but no Windows machine reads this appspec.
    if node.text != "linux":
        raise Rejection("os", f"unsupported operating system ({shown(node.text, 40)})", node.at, "write `os: linux`")


def _behaviour(node: Optional[Node]) -> str:
    if node is None or serde.missing(node):
        return ""
    if node.text not in BEHAVIOURS:
        message = f"invalid file_exists_behavior value ({shown(node.text, 40)})"
        raise Rejection("file-exists-behavior", message, node.at, "write DISALLOW, OVERWRITE or RETAIN, in capitals")
    return node.text


def _script(node: Node, given: Fields) -> Script:
    location = given["location"].text.strip() if "location" in given else ""
    if not location:
        raise Rejection("location", "a script with no location value", node.at, "name the script, below the bundle")
    timeout = serde.unsigned(given["timeout"], "timeout") if "timeout" in given else DEFAULT_TIMEOUT
    if timeout == 0:
        raise Rejection("timeout", "invalid timeout value (0)", given["timeout"].at, "write seconds as an integer above 0")
    return Script(
        location=location,
        timeout=timeout,
        runas=given["runas"].text.strip() if "runas" in given else "",
        sudo="sudo" in given and serde.boolean(given["sudo"], "sudo"),
        at=node.at,
        stated="timeout" in given,
    )


def _file(node: Node, given: Fields) -> FileCopy:
    source = given["source"].text if "source" in given else ""
    destination = given["destination"].text if "destination" in given else ""
    if not source:
        raise Rejection("source", "a destination file, but no source file", node.at, "name the source, below the bundle")
    if not destination:
        raise Rejection(
            "destination", f"only a source file ({shown(source, 40)}), but no destination", node.at, "name a folder"
        )
    return FileCopy(source, destination, node.at)
