"""Filters and tests that authors know from Ansible, stricter where Ansible guesses."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from deploykit.templating.values import FilterError, defined, kind_of, text_of, truth_of

_LINE_STYLES = {"plain": "# ", "ini": "; ", "c": "// ", "erlang": "% "}
_BLOCK_STYLES = {"cblock": ("/*", " * ", " */"), "xml": ("<!--", " - ", "-->")}
_PARTS = re.compile(r"\d+|[a-z]+")
_HASHES = ("md5", "sha1", "sha256", "sha512")
_COMPARISONS = {
    "eq": "== =",
    "ne": "!= <>",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}


def to_bool(value: object) -> bool:
    """``bool``: true or false of a bool, of yes/no/on/off/true/false/1/0, of null (false); anything else is refused."""
    return value is not None and truth_of(value, "bool")


def ternary(value: object, when_true: object, when_false: object, when_null: object = None) -> object:
    """``ternary``: the first value when true, the second when false, the third (if given) when null."""
    if value is None and when_null is not None:
        return when_null
    return when_true if value else when_false


def comment(text: object, style: str = "plain", **options: object) -> str:
    """``comment``: the text as comment lines. Styles plain (#), ini (;, php-fpm), c, erlang, cblock, xml.

    Options as in Ansible: decoration, prefix, prefix_count, postfix, postfix_count, beginning, end.
    """
    if style in _LINE_STYLES:
        beginning, decoration, end = "", _LINE_STYLES[style], ""
    elif style in _BLOCK_STYLES:
        beginning, decoration, end = _BLOCK_STYLES[style]
    else:
        raise FilterError(f'comment knows no style "{style}"', "one of " + ", ".join((*_LINE_STYLES, *_BLOCK_STYLES)))
    decoration = str(options.get("decoration", decoration))
    lines = [(decoration + line).rstrip() for line in text_of(text, "comment").splitlines() or [""]]
    edge = decoration.rstrip() if style in _LINE_STYLES else ""
    before = _edge(options, "prefix", edge)
    after = _edge(options, "postfix", edge)
    first = [str(options.get("beginning", beginning))]
    last = [str(options.get("end", end))]
    return "\n".join([*filter(None, first), *before, *lines, *after, *filter(None, last)])


def _edge(options: Mapping[str, object], name: str, usual: str) -> List[str]:
    line = str(options.get(name, usual))
    return [line] * int(str(options.get(f"{name}_count", 1))) if line else []


def regex_replace(value: object, pattern: str, replacement: str = "", ignorecase: bool = False, multiline: bool = False) -> str:
    """``regex_replace``: every match of a Python regular expression replaced (``\\1`` is the first group)."""
    try:
        return _compiled(pattern, ignorecase, multiline).sub(replacement, text_of(value, "regex_replace"))
    except re.error as problem:
        raise FilterError(f"regex_replace cannot use this replacement: {problem}") from None


def _compiled(pattern: str, ignorecase: bool = False, multiline: bool = False) -> re.Pattern[str]:
    flags = (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)
    try:
        return re.compile(pattern, flags)
    except re.error as problem:
        raise FilterError(f"not a regular expression: {problem}") from None


def plain(value: object) -> object:
    """The value with only maps, lists, text, numbers, bools and null in it; anything else is refused."""
    if value is None or isinstance(value, (str, int, float)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    defined(value)
    raise FilterError(f"{kind_of(value)} cannot be written as JSON or YAML")


def to_json(value: object, indent: int = 0, sort_keys: bool = False, ensure_ascii: bool = True) -> str:
    """``to_json``: JSON on one line."""
    import json

    return json.dumps(plain(value), indent=indent or None, sort_keys=sort_keys, ensure_ascii=ensure_ascii)


def to_nice_json(value: object, indent: int = 4, sort_keys: bool = True, ensure_ascii: bool = True) -> str:
    """``to_nice_json``: JSON over several lines, keys sorted."""
    return to_json(value, indent, sort_keys, ensure_ascii)


def from_json(value: object) -> object:
    """``from_json``: what a JSON text says."""
    import json

    try:
        return json.loads(text_of(value, "from_json"))
    except ValueError as problem:
        raise FilterError(f"not JSON: {problem}") from None


def to_yaml(value: object) -> str:
    """``to_yaml``: YAML, inner lists and maps on one line."""
    from deploykit.config.dump import dump_yaml

    return dump_yaml(plain(value), nice=False)


def to_nice_yaml(value: object) -> str:
    """``to_nice_yaml``: YAML, one entry a line."""
    from deploykit.config.dump import dump_yaml

    return dump_yaml(plain(value), nice=True)


def combine(first: object, *others: object, recursive: bool = False) -> Dict[str, object]:
    """``combine``: maps merged, later ones win; ``recursive=true`` merges inner maps too."""
    merged: Dict[str, object] = {}
    for one in [*(first if isinstance(first, list) else [first]), *others]:
        if not isinstance(one, Mapping):
            defined(one)
            raise FilterError(f"combine takes maps, not {kind_of(one)}")
        for key, value in one.items():
            old = merged.get(key)
            both = recursive and isinstance(old, Mapping) and isinstance(value, Mapping)
            merged[key] = combine(old, value, recursive=True) if both else value
    return merged


def quote(value: object) -> str:
    """``quote``: one word for a POSIX shell. (For nginx: nginx_quote. For php-fpm: fpm_quote.)"""
    import shlex

    return shlex.quote(text_of(value, "quote"))


def basename(path: object) -> str:
    """``basename``: what follows the last slash."""
    return text_of(path, "basename").rpartition("/")[2]


def dirname(path: object) -> str:
    """``dirname``: what stands before the last slash."""
    folder, slash, _ = text_of(path, "dirname").rpartition("/")
    return folder.rstrip("/") or slash


def b64encode(value: object) -> str:
    """``b64encode``: base64 of the UTF-8 text."""
    import base64

    return base64.b64encode(text_of(value, "b64encode").encode()).decode()


def b64decode(value: object) -> str:
    """``b64decode``: the UTF-8 text that was base64."""
    import base64

    try:
        return base64.b64decode(text_of(value, "b64decode"), validate=True).decode()
    except ValueError:
        raise FilterError("b64decode got something that is no base64 of a UTF-8 text") from None


def hash_of(value: object, kind: str = "sha1") -> str:
    """``hash``: hexadecimal digest (sha1, sha256, sha512, md5) of the UTF-8 text."""
    import hashlib

    if kind not in _HASHES:
        raise FilterError(f'hash knows no "{kind}"', "one of " + ", ".join(_HASHES))
    return hashlib.new(kind, text_of(value, "hash").encode(), usedforsecurity=False).hexdigest()


def unique(values: Sequence[object]) -> List[object]:
    """``unique``: each value once, in the order of first appearance (case matters)."""
    _lists("unique", values)
    try:
        return list(dict.fromkeys(values))
    except TypeError:  # maps and lists cannot be hashed
        return [value for place, value in enumerate(values) if value not in values[:place]]


def union(first: Sequence[object], second: Sequence[object]) -> List[object]:
    """``union``: what is in either list, each once."""
    _lists("union", first, second)
    return unique([*first, *second])


def intersect(first: Sequence[object], second: Sequence[object]) -> List[object]:
    """``intersect``: what is in both lists, each once."""
    _lists("intersect", first, second)
    return [value for value in unique(first) if value in second]


def difference(first: Sequence[object], second: Sequence[object]) -> List[object]:
    """``difference``: what is in the first list and not in the second, each once."""
    _lists("difference", first, second)
    return [value for value in unique(first) if value not in second]


def _lists(asker: str, *values: object) -> None:
    for value in values:
        if not isinstance(value, (list, tuple)):
            defined(value)
            raise FilterError(f"{asker} takes lists, not {kind_of(value)}")


def version(value: object, other: object, operator: str = "eq", **_: object) -> bool:
    """Test ``version``: compare versions part by part, numbers as numbers (``1.10`` is above ``1.9``)."""
    name = next((name for name, signs in _COMPARISONS.items() if operator in (name, *signs.split())), "")
    if not name:
        raise FilterError(f'version knows no operator "{operator}"', "one of == != < <= > >=")
    mine, theirs = _version_parts(value), _version_parts(other)
    return {
        "eq": mine == theirs,
        "ne": mine != theirs,
        "lt": mine < theirs,
        "le": mine <= theirs,
        "gt": mine > theirs,
        "ge": mine >= theirs,
    }[name]


def _version_parts(value: object) -> List[Tuple[int, int, str]]:
    """Numbers sort above words, so that 1.2rc1 is below 1.2.0."""
    if isinstance(value, float):
        raise FilterError("version got a fraction: 8.10 without quotes is 8.1", "quote the version in deploykit.yml")
    words = _PARTS.findall(text_of(value, "version").lower())
    return [(1, int(word), "") if word.isdigit() else (0, 0, word) for word in words]


def match(value: object, pattern: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """Test ``match``: the regular expression fits from the beginning."""
    return bool(_compiled(pattern, ignorecase, multiline).match(text_of(value, "match")))


def search(value: object, pattern: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """Tests ``search`` and ``regex``: the regular expression fits anywhere."""
    return bool(_compiled(pattern, ignorecase, multiline).search(text_of(value, "search")))


FILTERS: Dict[str, Callable[..., object]] = {
    "b64decode": b64decode,
    "b64encode": b64encode,
    "basename": basename,
    "bool": to_bool,
    "combine": combine,
    "comment": comment,
    "difference": difference,
    "dirname": dirname,
    "from_json": from_json,
    "hash": hash_of,
    "intersect": intersect,
    "quote": quote,
    "regex_replace": regex_replace,
    "ternary": ternary,
    "to_json": to_json,
    "to_nice_json": to_nice_json,
    "to_nice_yaml": to_nice_yaml,
    "to_yaml": to_yaml,
    "tojson": to_json,  # jinja2's own makes it safe for HTML, which is another text
    "union": union,
    "unique": unique,
}

TESTS: Dict[str, Callable[..., bool]] = {
    "match": match,
    "regex": search,
    "search": search,
    "version": version,
    "version_compare": version,
}
