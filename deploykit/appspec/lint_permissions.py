"""Rules about permissions: modes that are read otherwise, and entries that fail or do nothing when they are applied."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Optional, Tuple

from deploykit.appspec.catalogue import finding
from deploykit.appspec.document import Node, key_of
from deploykit.appspec.serde import followed
from deploykit.appspec.subject import Subject, is_text, meaning
from deploykit.appspec.v1_permissions import TYPES, is_default_ace
from deploykit.appspec.verdict import shown
from deploykit.errors import Location
from deploykit.model import Finding

_QUOTED = 'write four octal digits in quotes, e.g. mode: "0644"'


def check(subject: Subject) -> Iterator[Finding]:
    """All findings of this page."""
    seen: Dict[Tuple[str, str, str], Location] = {}
    for entry in subject.maps(subject.section("permissions")):
        mode = subject.field(entry, "mode")
        yield from _mode(mode)
        yield from _setuid(subject, entry, mode)
        yield from _pattern(subject, entry)
        yield from _acls(subject, entry)
        yield from _context(subject, entry)
        yield from _reach(subject, entry, seen)


def _mode(node: Optional[Node]) -> Iterator[Finding]:
    if node is None or node.kind != "scalar" or (node.empty and not node.tag):
        return
    kind, value = meaning(node)
    if len(node.text) > 20:
        return  # every agent rejects that
    if kind == "int" and re.match("[+-]?0[0-9_]", node.text):
        digits = str(value)
        if digits.rjust(4, "0") == node.text:
            return
        bad = len(digits) > 4 or re.search("[^0-7]", digits)
        does = "rejects the whole appspec" if bad else f"sets {digits.rjust(4, '0')}"
        message = f"unquoted, {shown(node.text, 20)} is the decimal number {digits}: agent v1 {does}"
        yield finding("appspec-mode-unquoted", message, node.at, _QUOTED)
    elif kind in ("text", "int") and re.fullmatch("[0-7]{0,2}", str(value)):
        message = f"a mode of less than three digits: it is filled up with zeros in front to {str(value).rjust(3, '0')}"
        yield finding("appspec-mode-short", message, node.at, _QUOTED)


def _setuid(subject: Subject, entry: Node, mode: Optional[Node]) -> Iterator[Finding]:
    owned = [name for name in ("owner", "group") if is_text(subject.field(entry, name))]
    if mode and owned and re.fullmatch("[2-7][0-7]{3}", mode.text):
        message = f"agent v1 sets the {owned[0]} after the mode, which takes setuid and setgid away again"
        yield finding("appspec-mode-setuid", message, mode.at, "set it in a hook of AfterInstall")


def _types(subject: Subject, entry: Node) -> Tuple[str, ...]:
    node = subject.field(entry, "type")
    return tuple(one.text for one in node.children) if node and node.kind == "list" else TYPES


def _pattern(subject: Subject, entry: Node) -> Iterator[Finding]:
    pattern, excepted = subject.field(entry, "pattern"), subject.field(entry, "except")
    narrow = pattern if pattern and pattern.text not in ("**", "") else None
    narrow = narrow or (excepted if excepted and excepted.children else None)
    target = subject.field(entry, "object")
    if narrow and target and "file" in _types(subject, entry) and _is_file(subject, target.text):
        message = f"{shown(target.text)} is a file: with pattern or except, Install fails after it has deleted the former files"
        yield finding("appspec-permission-pattern", message, narrow.at, "name the folder, or remove pattern and except")


def _is_file(subject: Subject, path: str) -> bool:
    """By its name, or because a file of the bundle goes exactly there."""
    name = path.strip().rsplit("/", 1)[-1]
    return bool(re.fullmatch(r"[^.].*\.[A-Za-z][A-Za-z0-9]{0,7}", name)) and path.strip() not in _destinations(subject)


def _destinations(subject: Subject) -> List[str]:
    found = [subject.field(entry, "destination") for entry in subject.maps(subject.section("files"))]
    return [node.text.strip().rstrip("/") or "/" for node in found if node and node.kind == "scalar"]


def _acls(subject: Subject, entry: Node) -> Iterator[Finding]:
    node = subject.field(entry, "acls")
    if not node or not node.children:
        return
    message = "codedeploy-local of agent v1 fails on acls; the agent itself does not"
    yield finding("appspec-acl-local", message, key_of(entry, "acls"), "set them in a hook of AfterInstall")
    default = [one for one in (followed(child, subject.tree) for child in node.children) if is_default_ace(one.text)]
    if default and "file" in _types(subject, entry):
        message = f"{shown(default[0].text)} is for folders: for a file Install fails after it has deleted the former files"
        yield finding("appspec-acl-default", message, default[0].at, "add type: [directory]")


def _context(subject: Subject, entry: Node) -> Iterator[Finding]:
    node = subject.field(entry, "context")
    if not node or node.kind != "map":
        return
    message = "codedeploy-local of agent v1 fails on context; the agent itself does not"
    yield finding("appspec-acl-local", message, key_of(entry, "context"), "set it in a hook of AfterInstall")
    span = subject.field(node, "range")
    if subject.field(node, "type") and (span is None or meaning(span)[0] == "nil"):
        message = "agent v1 fails on a context without range, after it has deleted the former files"
        yield finding("appspec-context-range", message, node.at, "add e.g. range: s0")


def _reach(subject: Subject, entry: Node, seen: Dict[Tuple[str, str, str], Location]) -> Iterator[Finding]:
    node = subject.field(entry, "object")
    if not node or not is_text(node):
        return
    path = node.text.strip().rstrip("/") or "/"
    if not any(_related(path, one) for one in _destinations(subject)):
        message = f"nothing is copied to {shown(path)}: permissions apply to what this deployment copies, and to nothing else"
        hint = "name a destination of files, or set it in a hook of AfterInstall"
        yield finding("appspec-permission-unused", message, node.at, hint)
    pattern = subject.field(entry, "pattern")
    for kind in _types(subject, entry):
        one = (path, pattern.text if pattern else "**", kind)
        if one in seen and seen[one] != node.at:
            message = f"{shown(path)} has permissions for {shown(kind, 20)} in line {seen[one].line} already: Install fails"
            yield finding("appspec-permission-twice", message, node.at, "make one entry of the two")
            return
        seen[one] = node.at


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(other.rstrip("/") + "/") or other.startswith(one.rstrip("/") + "/")
