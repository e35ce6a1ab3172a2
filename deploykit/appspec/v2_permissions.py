"""One entry of ``permissions:`` as agent v2 takes it. It is stricter than v1 with ACLs and wants sensitivities below 256."""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

from deploykit.appspec import serde
from deploykit.appspec.document import Node, Tree
from deploykit.appspec.spec import Permission
from deploykit.appspec.verdict import Rejection, shown

TYPES = ("file", "directory")
_NAMED = ("user", "u", "group", "g")
_NAMELESS = ("mask", "m", "other", "o")
_TEXTS = ("object", "pattern", "owner", "group", "mode")
_LISTS = ("except", "type", "acls")

Fields = Dict[str, Node]


def permission_fields(node: Node, what: str, tree: Tree) -> Fields:
    """The known keys of one entry that are given, their types checked, nested ones too. Raises ``Rejection``."""
    given = _given(node, what, (*_TEXTS, *_LISTS, "context"), tree)
    for name, value in list(given.items()):
        if name in _TEXTS:
            serde.text(value, f"{what}.{name}")
        elif name in _LISTS:
            given[name] = _texts_only(value, f"{what}.{name}", tree)
        else:
            given.update(_context_fields(value, f"{what}.context", tree))
    return given


def _texts_only(node: Node, what: str, tree: Tree) -> Node:
    children = tuple(serde.followed(one, tree) for one in serde.sequence(node, what))
    for one in children:
        serde.text(one, what)
    return Node("list", node.at, children=children)


def _context_fields(node: Node, what: str, tree: Tree) -> Fields:
    given = _given(node, what, ("name", "type", "range"), tree)
    for name, value in given.items():
        serde.text(value, f"{what}.{name}")
    return {"context." + name: value for name, value in given.items()}


def _given(node: Node, what: str, names: Tuple[str, ...], tree: Tree) -> Fields:
    found: Fields = {}
    for name, key, value in serde.fields(node, what, tree):
        if name in names and name in found:
            raise Rejection("duplicate-key", f"duplicate field `{name}`", key.at, "keep one of the two")
        if name in names:
            found[name] = value
    return {name: value for name, value in found.items() if not serde.missing(value)}


def read_permission(node: Node, given: Fields) -> Permission:
    """The permission; raises ``Rejection``."""
    name = given["object"].text.strip() if "object" in given else ""
    if not name:
        raise Rejection("object", "a permission has no object value", node.at, "name the file or folder")
    return Permission(
        object=name,
        at=node.at,
        pattern=_text(given, "pattern") or "**",
        excepted=_texts(given, "except"),
        types=_types(given.get("type")),
        owner=_text(given, "owner"),
        group=_text(given, "group"),
        mode=_mode(given.get("mode")),
        acls=_acls(given.get("acls")),
        context=_context(given),
    )


def _text(given: Fields, name: str) -> str:
    return given[name].text if name in given else ""


def _texts(given: Fields, name: str) -> Tuple[str, ...]:
    return tuple(one.text for one in given[name].children) if name in given else ()


def _types(node: Optional[Node]) -> Tuple[str, ...]:
    if node is None:
        return TYPES
    for one in node.children:
        if one.text not in TYPES:
            message = f"object type not supported for permissions ({shown(one.text, 40)})"
            raise Rejection("type", message, one.at, "write file or directory")
    return tuple(one.text for one in node.children)


def _mode(node: Optional[Node]) -> str:
    if node is None:
        return ""
    mode = node.text
    mode = "0" * (3 - len(mode.encode())) + mode
    if len(mode.encode()) > 4 or not re.fullmatch("[0-7]{3,4}", mode):
        message = f"invalid permissions mode ({shown(node.text, 40)})"
        raise Rejection("mode", message, node.at, 'write four octal digits in quotes: "0644"')
    return mode


def _acls(node: Optional[Node]) -> Tuple[str, ...]:
    for one in node.children if node else ():
        _check_ace(one)
    return tuple(one.text for one in node.children) if node else ()


def _check_ace(node: Node) -> None:
    parts = node.text.split(":")
    default = parts[0] in ("default", "d")
    if not 3 <= len(parts) <= 4 or (default and len(parts) < 4):
        raise _bad_ace(node)
    kind, name, rights = parts[1:4] if default else parts[:3]
    if not re.fullmatch("[0-7]|[rwx-]*", rights):
        raise _bad_ace(node)
    if kind not in _NAMED + _NAMELESS or (kind in _NAMELESS and name):
        raise _bad_ace(node)
    if kind in _NAMED and not name and not default:
        raise Rejection("acl", f"use mode to set the base acl entry ({shown(node.text, 40)})", node.at)


def _bad_ace(node: Node) -> Rejection:
    return Rejection("acl", f"invalid acl entry ({shown(node.text, 40)})", node.at, "write e.g. u:name:rwx or d:g:name:r-x")


def _context(given: Fields) -> Optional[Tuple[str, str, str]]:
    if "context" not in given:
        return None
    if "context.type" not in given:
        raise Rejection("context", "an invalid context type", given["context"].at, "name the SELinux type")
    if "context.range" in given and not _good_range(given["context.range"].text):
        span = given["context.range"]
        raise Rejection("context", f"a problem with the SELinux range specified ({shown(span.text, 40)})", span.at)
    return _text(given, "context.name"), _text(given, "context.type"), _text(given, "context.range")


def _good_range(span: str) -> bool:
    # What follows a second "-", ":" or "." is not looked at.
    parts = span.split(":")
    levels = [_number(one, "s", 255) for one in parts[0].split("-")[:2]]
    if -1 in levels or levels[-1] < levels[0]:
        return False
    return len(parts) == 1 or all(_good_categories(part) for part in parts[1].split(","))


def _good_categories(part: str) -> bool:
    ends: List[int] = [_number(one, "c", 1023) for one in part.split(".")[:2]]
    return -1 not in ends and ends[0] <= ends[-1]


def _number(text: str, letter: str, most: int) -> int:
    if not re.fullmatch(letter + r"\+?[0-9]+", text):
        return -1
    digits = text[1:].lstrip("+").lstrip("0") or "0"
    return int(digits) if len(digits) <= 5 and int(digits) <= most else -1
