"""Which requests a location of nginx takes, as far as its own line tells."""

from __future__ import annotations

import re
from typing import List, Optional

from deploykit.parsers.nginx_tree import Directive

SCRIPTS = ("php", "phtml", "phar", "inc", "html", "htm", "phpt", "pht", "cgi", "hh")


def catches(location: Directive, path: str) -> bool:
    """Does the location match a path, other locations aside? Named ones never do, nor what we cannot read."""
    sign, pattern = _parts(location)
    if sign in ("~", "~*"):
        regex = compiled(location)
        return bool(regex and regex.search(path))
    if pattern.startswith("@"):
        return False
    return path == pattern if sign == "=" else path.startswith(pattern)


def compiled(location: Directive) -> Optional[re.Pattern[str]]:
    """The regular expression of a location; None where it has none, or Python cannot read it."""
    import warnings

    sign, pattern = _parts(location)
    if sign not in ("~", "~*"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", pattern), re.IGNORECASE if sign == "~*" else 0)
        except (re.error, OverflowError, RecursionError):
            return None


def extensions(location: Directive) -> List[str]:
    """Endings (``php``) of the files that a PHP location takes: those that its regular expression spells out and matches.

    A location that spells none out is taken for one of ``.php`` files. Empty where nothing can be said.
    """
    sign, pattern = _parts(location)
    if sign not in ("~", "~*"):
        return ["php"]
    regex = compiled(location)
    if regex is None:
        return []
    probes = ("/index.{}", "/a/b.{}", "/index.{}/path")
    found = [word for word in SCRIPTS if word in pattern.lower() and any(regex.search(p.format(word)) for p in probes)]
    if "php" not in found and (not found or "\\.ph(" in pattern) and any(regex.search(p.format("php")) for p in probes):
        found.insert(0, "php")
    return found or (["php"] if "php" in pattern.lower() else [])


def _parts(location: Directive) -> tuple[str, str]:
    """The sign (``=``, ``~``, ``~*``, ``^~`` or ``""``) and the path or pattern."""
    words = location.args
    if len(words) > 1:
        return words[0], words[1]
    word = words[0] if words else ""
    # nginx takes a sign without a blank behind it too.
    for sign in ("~*", "^~", "~", "="):
        if word.startswith(sign):
            return sign, word[len(sign) :]
    return "", word
