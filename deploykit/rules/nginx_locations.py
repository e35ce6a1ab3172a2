"""Locations that do not get, or lose, the requests that they are for."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Sequence, Set, Tuple

from deploykit.rules.nginx_blocks import PASSES, Block, Location, Server
from deploykit.rules.nginx_examples import a_server, a_site
from deploykit.rules.nginx_layout import layout
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_HARMLESS = frozenset(("return", "rewrite"))


@rule(
    "nginx-duplicate-location",
    "error",
    bad=Example(nginx=a_server("location /api { return 204; }", "location /api { return 404; }")),
    good=Example(nginx=a_server("location /api { return 204; }", "location = /api { return 404; }")),
)
def duplicate_location(subject: Subject) -> Found:
    """The same location twice in one block.

    nginx does not start; ``/api`` and ``^~ /api`` are the same to it. Two with the same regular expression or @name it takes,
    but the second one never gets a request: a warning. Merge the two. They often come from an include.
    """
    view = layout(subject)
    for block in (*view.servers, *(location for server in view.servers for location in server.every_location())):
        seen: Dict[Tuple[str, str], Location] = {}
        for location in block.locations:
            key = ("" if location.sign == "^~" else location.sign, location.path)
            first = seen.setdefault(key, location)
            if first is not location:
                message = f"'{location.text}' stands a second time; the first is at {first.directive.at}"
                severity = "warning" if location.is_regex or location.sign == "@" else "error"
                yield finding("nginx-duplicate-location", message, location.directive.at, "merge the two", severity)


@rule(
    "nginx-named-location",
    "error",
    bad=Example(nginx=a_server("root /srv/app/public;", "location / { try_files $uri @app; }")),
    good=Example(nginx=a_server("root /srv/app;", "location / { try_files $uri @app; }", "location @app { return 204; }")),
)
def named_location(subject: Subject) -> Found:
    """try_files or error_page falls back to a named location that its server does not define.

    nginx starts and answers 500 to every request that takes the fallback: the front page and every route. Define the location
    in the same server, or correct its name.
    """
    view = layout(subject)
    for server in view.servers:
        names = {location.path for location in server.locations if location.sign == "@"}
        for block in _below(server) if view.whole(server) else ():
            for directive in (*block.own("try_files"), *block.own("error_page")):
                target = directive.args[-1] if directive.args else ""
                if target.startswith("@") and target not in names and "$" not in target:
                    hint = f"define it in this server: location {target} {{ ... }}"
                    yield finding("nginx-named-location", f"no location '{target}' is defined here", directive.at, hint)


def _below(server: Server) -> Iterator[Block]:
    """The server, its locations, and the ``if`` blocks of all of them."""
    for block in (server, *server.every_location()):
        yield block
        yield from block.ifs


@rule(
    "nginx-error-page",
    "warning",
    bad=Example(
        nginx=a_server("root /srv/app;", "error_page 500 502 /50x.html;"), around={"exists": lambda path: path == "/srv/app"}
    ),
    good=Example(
        nginx=a_server("root /srv/app;", "error_page 500 502 /50x.html;"),
        around={"exists": lambda path: path in ("/srv/app", "/srv/app/50x.html")},
    ),
)
def error_page(subject: Subject) -> Found:
    """An error_page whose page is neither handled by a location nor there as a file.

    The visitor gets nginx's own bare page instead of the application's. Add the file below the root, or a location that
    answers. Only judged where the files are known.
    """
    view, exists = layout(subject), subject.around.exists
    for server in view.servers if exists else ():
        for block in _below(server) if view.whole(server) else ():
            for directive in block.effective("error_page") if block is server else block.own("error_page"):
                path = directive.args[-1].partition("?")[0] if directive.args else ""
                lost = _lost_file(server, path) if path.startswith("/") and "$" not in path else None
                if lost and exists and exists(lost[0]) and exists(lost[1]) is False:
                    yield finding("nginx-error-page", f"the page {path} is not there: {lost[1]}", directive.at, "add the file")


def _lost_file(server: Server, path: str) -> Optional[Tuple[str, str]]:
    """Root and file that answer a path, None when something else than a plain file does or may."""
    place: Block = server.target(path) or server
    if place.has("return", "rewrite", "try_files", "if", "set", "alias", *PASSES) or server.has("rewrite", "return", "if"):
        return None
    return (place.folder, place.folder + path) if place.folder else None


@rule(
    "nginx-location-shadowed",
    "error",
    bad=Example(nginx=a_site("location ~ \\.(php|html)$ { return 403; }")),
    good=Example(nginx=a_site("location ~ ^/private/.*\\.php$ { return 403; }")),
)
def location_shadowed(subject: Subject) -> Found:
    """An earlier regular expression takes all requests of the PHP location.

    Of the regular expressions of a server the first that matches wins, not the most precise one. The PHP location behind it
    gets nothing: 403, 404 or the source for every script. Put the PHP location first, or narrow the earlier expression.
    """
    for server in layout(subject).servers:
        regexes = [location for location in server.locations if location.is_regex]
        said: Set[int] = set()
        for position, location in enumerate(regexes):
            thief = _thief(server, location, regexes[:position]) if location.has("fastcgi_pass") else None
            if thief and id(thief.directive) not in said:
                said.add(id(thief.directive))
                message = f"'{thief.text}' takes the requests of the PHP location at {location.directive.at}"
                yield finding("nginx-location-shadowed", message, thief.directive.at, "put the PHP location before it")


def _thief(server: Server, wanted: Location, earlier: Sequence[Location]) -> Optional[Location]:
    """The location that gets every script which ``wanted`` matches, None when some reach it or the thief runs PHP itself."""
    paths = [path for path in _scripts(server) if wanted.matches(path)]
    takers = [next((location for location in earlier if location.matches(path)), None) for path in paths]
    thief = takers[0] if takers else None
    if thief is None or any(taker is None for taker in takers):
        return None
    return None if thief.hands_on or any(inner.hands_on for inner in thief.every_location()) else thief


def _scripts(server: Server) -> Tuple[str, ...]:
    """Scripts that a server may be asked for: its front controllers, and some in general."""
    fronts = [
        word.partition("?")[0]
        for block in (server, *server.every_location())
        for directive in block.own("try_files")
        for word in directive.args[-1:]
        if word.startswith("/") and "$" not in word.partition("?")[0]
    ]
    named = [path for path in dict.fromkeys(fronts) if path.endswith(".php")]
    return tuple(named) or ("/index.php", "/app.php", "/x/script.php")


@rule(
    "nginx-if-in-location",
    "error",
    bad=Example(nginx=a_server("root /srv/app;", "location / { if ($args) { add_header X-A 1; } try_files $uri /a.html; }")),
    good=Example(nginx=a_server("root /srv/app;", "location / { if ($args) { return 403; } try_files $uri /a.html; }")),
)
def if_in_location(subject: Subject) -> Found:
    """An ``if`` beside try_files in a location.

    When the condition holds, nginx goes on in the block of the ``if``, and that has no try_files: the front page may still
    answer, and every route gives 404. Only ``return`` and ``rewrite`` are safe in there; a request that the ``if`` passes on to
    another program is a warning. Use a map for the value, or a location of its own.
    """
    view = layout(subject)
    for server in view.servers:
        for location in server.every_location():
            for block in location.ifs if location.has("try_files") else ():
                names = {directive.name for directive in block.directive.block or ()}
                if _leaves(block):
                    continue
                severity = "warning" if names.intersection(PASSES) else "error"
                message = "try_files is lost when this condition holds"
                hint = "in an 'if' only return and rewrite are safe: use a map, or a location of its own"
                yield finding("nginx-if-in-location", message, block.directive.at, hint, severity)


def _leaves(block: Block) -> bool:
    """Does the block do nothing but answer, or send the request to another location?"""
    names = {directive.name for directive in block.directive.block or ()}
    return bool(names & _HARMLESS) and names <= _HARMLESS | {
        "set",
        "break",
        "access_log",
        "add_header",
        "expires",
        "limit_rate",
    }


@rule(
    "nginx-alias-traversal",
    "error",
    bad=Example(nginx=a_server("location /static { alias /srv/app/shared/static/; }")),
    good=Example(nginx=a_server("location /static/ { alias /srv/app/shared/static/; }")),
)
def alias_traversal(subject: Subject) -> Found:
    """A location without a slash at its end whose alias has one.

    ``/static../secret.txt`` becomes ``/srv/app/shared/static/../secret.txt``: whatever lies beside the folder can be fetched.
    Give both a slash at the end, or neither.
    """
    for location in (location for server in layout(subject).servers for location in server.every_location()):
        for directive in location.own("alias") if location.sign in ("", "^~") and location.path[-1:] != "/" else ():
            if directive.args and directive.args[0].endswith("/") and directive.args[0] != "/":
                message = (
                    f"the alias ends in a slash and '{location.text}' does not: {location.path}../ leads out of the folder"
                )
                yield finding("nginx-alias-traversal", message, directive.at, f"write location {location.path}/")
