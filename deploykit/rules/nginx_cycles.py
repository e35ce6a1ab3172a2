"""Requests that nginx sends round and round."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Set, Tuple

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Location, Server
from deploykit.rules.nginx_examples import a_server, a_site
from deploykit.rules.nginx_layout import layout
from deploykit.rules.nginx_regex import compiled
from deploykit.rules.rule import Example, Exists, Found, Subject, finding, rule

_ROUTES = ("/some/route", "/", "/index.php")
_URI = re.compile(r"\$(?:\{uri\}|uri|\{document_uri\}|document_uri|\{request_uri\}|request_uri)(?![A-Za-z0-9_])")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]+\Z")


class Step(NamedTuple):
    """Where a request goes next (``""``: nowhere, it is answered or not to be foretold), and the directive that sends it."""

    path: str
    by: Optional[Directive]


@rule(
    "nginx-redirect-cycle",
    "error",
    bad=Example(nginx=a_server("root /srv/app/public;", "location / { rewrite ^ /index.php last; }")),
    good=Example(nginx=a_site()),
)
def redirect_cycle(subject: Subject) -> Found:
    """try_files or rewrite sends a request back to the location that it comes from.

    After ten rounds nginx answers 500, to the front page and to every route. The last word of try_files must be a status, a
    named location, or a path that another location takes; a path that the same location takes must be there as a file. The
    target of a rewrite must belong to another location, or the rewrite needs ``break``.
    """
    view = layout(subject)
    said: Set[int] = set()
    for server in view.servers:
        elsewhere = server.has("return", "rewrite") or any(block.has("rewrite") for block in server.ifs)
        for route in _ROUTES if view.whole(server) and not elsewhere else ():
            directive = _cycle(server, route, subject.around.exists)
            if directive and id(directive) not in said:
                said.add(id(directive))
                message = f"a request for {route} comes back here again and again"
                hint = "let the last step lead to another location, a named one, or a status such as =404"
                yield finding("nginx-redirect-cycle", message, directive.at, hint)


def _cycle(server: Server, route: str, exists: Optional[Exists]) -> Optional[Directive]:
    """The directive that closes a circle for this route, None when the request ends somewhere."""
    path, rounds, last = route, 0, None
    seen: List[Tuple[int, str]] = []
    while rounds < 12:
        location = server.target(path)
        if location is None:
            return None
        step = _step(location, path, path != route or bool(_EXTENSION.search(path)), exists)
        if not step.path or step.by is None:
            return None
        if (id(location.directive), step.path) in seen or len(step.path) > 500:
            return step.by
        seen.append((id(location.directive), step.path))
        path, rounds, last = step.path, rounds + 1, step.by
    return last


def _step(location: Location, path: str, written: bool, exists: Optional[Exists]) -> Step:
    """What a location does with a path. written: the path comes from the configuration, so it may be a file that is there."""
    if location.has("return", "if", "alias", "deny", "internal"):
        return Step("", None)
    for directive in location.own("rewrite"):
        new = _rewritten(directive, path)
        if new is not None:
            return Step(new, directive)
    for directive in location.own("try_files"):
        return _tried(directive, location, path, written, exists)
    return Step("", None)


def _rewritten(directive: Directive, path: str) -> Optional[str]:
    """The new path of a rewrite that matches, ``""`` when it ends the matter; None when it does not match."""
    if len(directive.args) < 2:
        return ""
    regex = compiled(directive.args[0])
    match = regex.search(path) if regex else None
    if regex is None or match is None:
        return "" if regex is None else None
    target, flag = directive.args[1], directive.args[2] if len(directive.args) > 2 else ""
    if flag in ("break", "permanent", "redirect") or not target.startswith("/"):
        return ""
    filled = re.sub(r"\$(\d)", lambda digit: _group(match, int(digit.group(1))), target)
    filled = _URI.sub(path, filled.partition("?")[0])
    return "" if "$" in filled else filled


def _group(match: re.Match[str], number: int) -> str:
    return (match.group(number) or "") if number <= (match.re.groups or 0) else ""


def _tried(directive: Directive, location: Location, path: str, written: bool, exists: Optional[Exists]) -> Step:
    *files, last = directive.args or ("",)
    if not last.startswith("/") or any(_may_exist(word, location, path, written, exists) for word in files):
        return Step("", None)
    target = _URI.sub(path, last.partition("?")[0])
    return Step("" if "$" in target else target, directive)


def _may_exist(word: str, location: Location, path: str, written: bool, exists: Optional[Exists]) -> bool:
    """May this argument of try_files name something that is there? The route that the visitor asked for does not."""
    named = _URI.sub(path, word)
    own = named.rstrip("/") == path.rstrip("/")
    if "$" in named or (own and path == "/"):
        return word.endswith("/") or "$" in named
    if own and not written:
        return False
    folder = location.folder
    if exists and folder and exists(folder):
        return exists(f"{folder}/{named.strip('/')}".rstrip("/")) is not False
    return bool(_EXTENSION.search(named)) or (named.endswith("/") and (path.endswith("/") or not own))
