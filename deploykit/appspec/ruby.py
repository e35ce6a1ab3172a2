"""Ruby's values and how it turns them into text and numbers: what agent v1 works with once the YAML is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Tuple

from deploykit.errors import Location

_CLASSES = {
    "nil": "NilClass",
    "int": "Integer",
    "float": "Float",
    "text": "String",
    "symbol": "Symbol",
    "list": "Array",
    "map": "Hash",
}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e", "\x07": "\\a", "\x08": "\\b"}


class RubyError(Exception):
    """What agent v1 dies of, in Ruby's words: ``NoMethodError: undefined method ...``."""


@dataclass(frozen=True)
class Value:
    """A Ruby value and where it was written. kind: ``nil bool int float text symbol list map object``.

    content: the value itself; a tuple of Values for a list; for a map a dict from ``Value.identity`` to the pair (key, value).
    """

    kind: str
    content: Any
    at: Location

    @property
    def nil(self) -> bool:
        return self.kind == "nil"

    @property
    def truthy(self) -> bool:
        """All but nil and false: 0 and ``""`` are true in Ruby."""
        return not self.nil and self.content is not False

    @property
    def identity(self) -> Tuple[str, Any]:
        """Equal for values that are one and the same key of a Ruby Hash (1 and 1.0 are two)."""
        return (self.kind, inspect(self) if self.kind in ("list", "map", "object") else self.content)

    def get(self, name: str) -> Optional[Value]:
        """``hash[name]`` of a map; None where the key is missing or nil."""
        found = self.content.get(("text", name)) if self.kind == "map" else None
        return None if found is None or found[1].nil else found[1]

    def pairs(self) -> Iterator[Tuple[Value, Value]]:
        """Keys and values of a map."""
        pairs: Dict[Any, Tuple[Value, Value]] = self.content
        return iter(pairs.values())


def nil(at: Location) -> Value:
    """Ruby's nothing."""
    return Value("nil", None, at)


def class_name(value: Value) -> str:
    """As Ruby's error messages call it."""
    if value.kind == "bool":
        return "TrueClass" if value.content else "FalseClass"
    return _CLASSES.get(value.kind, "Object")


def no_method(name: str, value: Value) -> RubyError:
    """The error of calling a method that this value does not have."""
    shown = inspect(value)
    return RubyError(f"NoMethodError: undefined method `{name}' for {_cut(shown)}:{class_name(value)}")


def index(value: Value, name: str) -> Value:
    """``value[name]``: a map's value, a piece of a text, or Ruby's error. A missing one is nil."""
    if value.kind == "map":
        return value.get(name) or nil(value.at)
    if value.kind in ("text", "symbol"):
        return Value("text", name, value.at) if name in value.content else nil(value.at)
    if value.kind in ("list", "int"):
        raise RubyError("TypeError: no implicit conversion of String into Integer")
    raise no_method("[]", value)


def to_s(value: Value) -> str:
    """Ruby's ``to_s``."""
    if value.nil:
        return ""
    return value.content if value.kind in ("text", "symbol", "object") else inspect(value)


def inspect(value: Value) -> str:
    """Ruby 3.1's ``inspect``."""
    if value.kind == "list":
        return "[" + ", ".join(inspect(one) for one in value.content) + "]"
    if value.kind == "map":
        return "{" + ", ".join(f"{inspect(key)}=>{inspect(one)}" for key, one in value.pairs()) + "}"
    if value.kind == "text":
        return quote(value.content)
    if value.kind == "symbol":
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*[?!=]?", value.content)
        return ":" + (value.content if plain else quote(value.content))
    return _bare(value)


def _bare(value: Value) -> str:
    if value.kind == "float":
        return _float(value.content)
    if value.kind == "int":
        return str(value.content) if abs(value.content) < 10**4000 else "9" * 20 + "..."
    return {None: "nil", True: "true", False: "false"}.get(value.content, str(value.content))


def _float(number: float) -> str:
    words = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
    # Python writes 1e-05 and 1e+20 where Ruby writes 1.0e-05 and 1.0e+20.
    return words.get(repr(number), re.sub(r"^(-?[0-9]+)e", r"\1.0e", repr(number)))


def quote(text: str) -> str:
    """A Ruby text in double quotes."""
    escaped = "".join(_ESCAPES.get(one, one if one.isprintable() else f"\\u{ord(one):04X}") for one in text)
    return '"' + re.sub(r"#(?=[{$@])", r"\\#", escaped) + '"'


def strip(text: str) -> str:
    """Ruby's ``strip``: ASCII white space and NULs at both ends."""
    return text.strip(" \t\n\v\f\r\0")


def to_i(text: str) -> int:
    """Ruby's ``String#to_i``: the number that the text begins with, else 0; ``"1h"`` is 1."""
    found = re.match(r"[ \t\n\v\f\r]*([-+]?)([0-9]+(?:_[0-9]+)*)", text)
    if not found:
        return 0
    digits = found.group(2).replace("_", "")
    number = int(digits) if len(digits) < 4000 else 10 ** (len(digits) - 1)
    return -number if found.group(1) == "-" else number


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."
