"""From what is written to Ruby's values, as ``YAML.load`` of Psych 4 does it for agent v1."""

from __future__ import annotations

import binascii
import re
from typing import Any, Dict, Tuple

from deploykit.appspec.document import Node
from deploykit.appspec.ruby import RubyError, Value, index, inspect, nil, no_method
from deploykit.appspec.scalars import resolve
from deploykit.appspec.verdict import Rejection, shown

_CORE = "tag:yaml.org,2002:"
_TEXT_TAG = re.compile(r"!(?:str|ruby/string)(?::(.*))?", re.DOTALL)
_SYMBOL_TAG = re.compile(r"!ruby/sym(?:bol)?:?.*", re.DOTALL)
_SCALAR_CLASSES = {
    "!ruby/object:BigDecimal": "BigDecimal",
    "!ruby/object:DateTime": "DateTime",
    "!ruby/object:Complex": "Complex",
    "!ruby/object:Rational": "Rational",
    "!ruby/regexp": "Regexp",
    "!ruby/range": "Range",
}
_LIST_TAG = re.compile(r"!(?:seq|ruby/array):(.*)", re.DOTALL)
# Tags of maps that stand for a Ruby class, and the class where the tag names none.
_MAP_TAGS = (
    (re.compile(r"!ruby/struct:?(.*)", re.DOTALL), "Struct"),
    (re.compile(r"!ruby/object:?(.*)", re.DOTALL), "Object"),
    (re.compile(r"!ruby/exception:?(.*)", re.DOTALL), "Exception"),
    (re.compile(r"!ruby/array:(.*)", re.DOTALL), ""),
    (re.compile(r"!ruby/marshalable:(.*)", re.DOTALL), ""),
    (re.compile(r"!(?:map|ruby/hash):(.*)", re.DOTALL), ""),
    (re.compile(r"!ruby/hash-with-ivars:(.*)", re.DOTALL), ""),
)
_MAP_CLASSES = {
    "!ruby/range": "Range",
    "!set": "Psych::Set",
    _CORE + "set": "Psych::Set",
    "!omap": "Psych::Omap",
    _CORE + "omap": "Psych::Omap",
}


def load(node: Node) -> Value:
    """The Ruby value. Raises ``Rejection`` for an alias, a date and whatever else agent v1's ``YAML.load`` dies of."""
    try:
        return _value(node)
    except RubyError as error:
        raise Rejection("shape", str(error), node.at) from None


def _value(node: Node) -> Value:
    if node.kind == "alias":
        raise Rejection("alias", f"BadAlias: Unknown alias: {shown(node.text)}", node.at, "write the value out")
    if node.kind == "scalar":
        return _located(node)
    return _list(node) if node.kind == "list" else _map(node)


def _located(node: Node) -> Value:
    try:
        return _scalar(node)
    except RubyError as error:
        raise Rejection("value", str(error), node.at) from None


def _scalar(node: Node) -> Value:
    if not node.tag:
        return _plain(node) if node.plain else Value("text", node.text, node.at)
    if node.tag in _SCALAR_CLASSES:
        raise _disallowed(node, _SCALAR_CLASSES[node.tag])
    text = _TEXT_TAG.fullmatch(node.tag)
    if text or node.tag == _CORE + "str":
        if text and text.group(1):
            raise _disallowed(node, text.group(1))
        return Value("text", node.text, node.at)
    return _tagged(node)


def _tagged(node: Node) -> Value:
    if node.tag in ("!binary", _CORE + "binary"):
        return Value("text", _base64(node.text), node.at)
    if node.tag in ("!float", _CORE + "float"):
        return _as_float(_plain(node))
    if _SYMBOL_TAG.fullmatch(node.tag):
        return Value("symbol", node.text, node.at)
    if node.tag in ("!ruby/class", "!ruby/module"):
        return _class(node)
    return Value("object", "#<Encoding>", node.at) if node.tag == "!ruby/encoding" else _plain(node)


def _class(node: Node) -> Value:
    if node.text in ("", "Symbol"):
        return Value("object", node.text, node.at) if node.text else nil(node.at)
    raise _disallowed(node, node.text)


def _plain(node: Node) -> Value:
    kind, content = resolve(node.text)
    if kind in ("date", "time"):
        raise _disallowed(node, kind.capitalize(), f'put it in quotes: "{shown(node.text)}"')
    return Value(kind, content, node.at)


def _as_float(value: Value) -> Value:
    if value.kind in ("int", "float"):
        return Value("float", float(min(value.content, 10.0**300)), value.at)
    if value.kind == "text":
        try:
            return Value("float", float(value.content), value.at)
        except ValueError:
            raise RubyError(f"ArgumentError: invalid value for Float(): {inspect(value)}") from None
    raise RubyError(f"TypeError: can't convert {inspect(value)} into Float")


def _base64(text: str) -> str:
    letters = re.sub(r"[^A-Za-z0-9+/]", "", text.split("=", 1)[0])
    usable = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(usable + "=" * (-len(usable) % 4)).decode("latin-1")


def _disallowed(node: Node, name: str, hint: str = "remove the tag") -> Rejection:
    return Rejection("class", f"DisallowedClass: Tried to load unspecified class: {shown(name)}", node.at, hint)


def _list(node: Node) -> Value:
    tagged = _LIST_TAG.fullmatch(node.tag)
    if tagged and tagged.group(1):
        raise _disallowed(node, tagged.group(1))
    if node.tag in ("!omap", _CORE + "omap"):
        return _ordered(node)
    return Value("list", tuple(_value(one) for one in node.children), node.at)


def _ordered(node: Node) -> Value:
    content: Dict[Any, Tuple[Value, Value]] = {}
    for one in node.children:
        parts = [part for entry in one.entries for part in entry] or list(one.children)
        if not parts:
            raise RubyError("NoMethodError: undefined method `first' for nil:NilClass")
        key, value = _value(parts[0]), _value(parts[-1])
        content[key.identity] = (key, value)
    return Value("map", content, node.at)


def _map(node: Node) -> Value:
    if node.tag:
        _refuse_class(node)
    content: Dict[Any, Tuple[Value, Value]] = {}
    for key_node, value_node in node.entries:
        key, value = _value(key_node), _value(value_node)
        merged = _merged(key_node, key, value_node, value)
        content.update(merged if merged is not None else {key.identity: (key, value)})
    return Value("map", content, node.at)


def _merged(key_node: Node, key: Value, value_node: Node, value: Value) -> Any:
    """What a merge key brings in, None where it is no merge key. (An alias behind it was refused before.)"""
    if key.identity != ("text", "<<") or key_node.tag == _CORE + "str":
        return None
    if value_node.kind == "map":
        return value.content if value.kind == "map" else None
    if value_node.kind != "list" or any(one.kind != "map" for one in value.content):
        return None
    content: Dict[Any, Tuple[Value, Value]] = {}
    for one in reversed(value.content):
        content.update(one.content)
    return content


def _refuse_class(node: Node) -> None:
    if node.tag in _MAP_CLASSES:
        raise _disallowed(node, _MAP_CLASSES[node.tag])
    for pattern, otherwise in _MAP_TAGS:
        found = pattern.fullmatch(node.tag)
        name = found.group(1) or otherwise if found else ""
        if name and not (name == "Hash" and node.tag.startswith("!ruby/object")):
            raise _disallowed(node, name)


def each(value: Value) -> Tuple[Value, ...]:
    """What Ruby's ``each`` goes through: a list's values, or the [key, value] pairs of a map. Raises ``RubyError``."""
    if value.kind == "list":
        return tuple(value.content)
    if value.kind == "map":
        return tuple(Value("list", pair, pair[0].at) for pair in value.pairs())
    raise no_method("each", value)


def fetch(value: Value, name: str) -> Value:
    """``value[name]``, for a value that must answer ``has_key?`` first, as only a map does."""
    if value.kind != "map":
        raise no_method("has_key?", value)
    return index(value, name)
