"""How serde_yaml 0.9 gives a written value the type that agent v2 asks for: YAML 1.2, and no conversions."""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from deploykit.appspec.document import Node, Tree
from deploykit.appspec.verdict import Rejection, shown

_CORE = "tag:yaml.org,2002:"
_NULLS = ("null", "Null", "NULL", "~")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_KINDS = {"list": "a list", "map": "a map"}


def followed(node: Node, tree: Tree) -> Node:
    """The node that an alias stands for, else the node itself."""
    return tree.anchored[node.target] if node.kind == "alias" and 0 <= node.target < len(tree.anchored) else node


def _wrong(node: Node, wanted: str, hint: str = "") -> Rejection:
    found = _KINDS.get(node.kind, f'"{shown(node.text, 40)}"' if node.style or node.text else "nothing")
    return Rejection("type-of-value", f"expected {wanted}, found {found}", node.at, hint)


def text(node: Node, what: str) -> str:
    """A String: any scalar, as it is written."""
    if node.kind != "scalar":
        raise _wrong(node, f"{what} as text")
    return node.text


def missing(node: Optional[Node]) -> bool:
    """Does an optional value count as not given?"""
    if node is None:
        return True
    if node.kind != "scalar" or node.style:
        return False
    if node.tag != _CORE + "null":
        return not node.tag and (not node.text or node.text in _NULLS)
    if node.text not in _NULLS:
        raise Rejection("type-of-value", f"expected null, found {shown(node.text, 40)}", node.at)
    return True


def sequence(node: Node, what: str) -> Tuple[Node, ...]:
    """A Vec: a list, or nothing written at all (but not ``null``)."""
    if node.kind != "list" and not node.empty:
        raise _wrong(node, f"{what} as a list")
    return node.children


def fields(node: Node, what: str, tree: Tree) -> List[Tuple[str, Node, Node]]:
    """Name, key and value of each entry of a map, or of nothing at all; an alias as a key or value is followed."""
    if node.kind != "map" and not node.empty:
        raise _wrong(node, f"{what} as a map")
    pairs = [(followed(key, tree), key, followed(value, tree)) for key, value in node.entries]
    return [(text(real, "a key"), key, value) for real, key, value in pairs]


def boolean(node: Node, what: str) -> bool:
    """A bool: ``true`` or ``false``, unquoted."""
    if _bare(node, "bool") and node.text in _BOOLEANS:
        return _BOOLEANS[node.text]
    raise _wrong(node, f"{what} as true or false", "write true or false, without quotes")


def unsigned(node: Node, what: str) -> int:
    """A u32: an unquoted integer of YAML 1.2, so that 010 is none."""
    number = _unsigned(node.text) if _bare(node, "int") else None
    if number is None or number >= 2**32:
        raise _wrong(node, f"{what} as an integer of 32 bits", "write seconds as an integer above 0, without quotes")
    return number


def floating(node: Node, what: str) -> float:
    """An f64: an unquoted decimal number, or ``.inf`` and its like."""
    special = {".inf": "inf", "-.inf": "-inf", ".nan": "nan"}
    if _bare(node, "float"):
        if _FLOAT.fullmatch(node.text) and abs(float(node.text)) != float("inf"):
            return float(node.text)
        if node.text.lower() in special:
            return float(special[node.text.lower()])
    raise _wrong(node, f"{what} as a number", "write it without quotes")


def _bare(node: Node, tag: str) -> bool:
    return node.kind == "scalar" and (not node.style or (node.style == "|" and node.tag == _CORE + tag))


def _unsigned(written: str) -> Optional[int]:
    digits = written[1:] if written.startswith("+") else written
    for prefix, base, allowed in (("0x", 16, "[0-9a-fA-F]+"), ("0o", 8, "[0-7]+"), ("0b", 2, "[01]+")):
        if digits.startswith(prefix) and re.fullmatch(allowed, digits[2:]):
            return int(digits[2:], base)
    if not re.fullmatch("[0-9]{1,20}", digits) or (len(digits) > 1 and digits.startswith("0")):
        # 20 digits are more than 64 bits hold; leading zeros make it a text.
        return None
    return int(digits)
