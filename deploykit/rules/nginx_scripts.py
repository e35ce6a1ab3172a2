"""Scripts that reach nobody who runs them, and files that are run as scripts."""

from __future__ import annotations

import re
from typing import Iterator, Optional, Sequence, Tuple

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Block, Location, Server
from deploykit.rules.nginx_examples import DOTFILES, FRONT, ONLY_FILES, PARAMS, PASS, SCRIPT, a_server, a_site
from deploykit.rules.nginx_layout import layout
from deploykit.rules.nginx_php import passing
from deploykit.rules.nginx_regex import compiled
from deploykit.rules.rule import Example, Exists, Found, Subject, finding, rule


@rule(
    "nginx-php-pathinfo",
    "warning",
    bad=Example(nginx=a_site(php=(PARAMS, SCRIPT, PASS), location="~ \\.php")),
    good=Example(nginx=a_site(php=(ONLY_FILES, PARAMS, SCRIPT, PASS), location="~ \\.php")),
)
def php_pathinfo(subject: Subject) -> Found:
    """A PHP location that takes any path with .php somewhere in it, and does not look whether the script is there.

    ``/hello.txt/x.php`` reaches php-fpm, which may run the text file: an uploaded picture becomes a program. Only
    security.limit_extensions stands in the way. Let the expression end in ``\\.php$``, or add ``try_files $uri =404;``.
    """
    for block in passing(layout(subject)):
        if isinstance(block, Location) and block.is_regex and not _guarded(block):
            regex = compiled(block.path, block.sign == "~*")
            if regex and regex.search("/hello.txt/x.php") and regex.search("/hello.txt/x.php/y"):
                message = f"'{block.text}' takes /hello.txt/x.php/y too"
                hint = "end the expression in \\.php$, or add: try_files $uri =404;"
                yield finding("nginx-php-pathinfo", message, block.directive.at, hint)


def _guarded(block: Block) -> bool:
    """Is it made sure that the script is there?"""
    tests = (word for inner in block.ifs for word in inner.directive.args[:1])
    return block.has("try_files", "alias", "internal") or any(word in ("!-f", "!-e") for word in tests)


@rule(
    "nginx-php-source",
    "error",
    bad=Example(nginx=a_server("root /srv/app/public;", "index index.php;", FRONT, DOTFILES)),
    good=Example(nginx=a_site("index index.php;")),
)
def php_source(subject: Subject) -> Found:
    """PHP files are served, and no location hands them to php-fpm: the source goes out as plain text, with 200.

    That is so when index or try_files ends in .php, or there are .php files below the root, and the location which takes them
    has no fastcgi_pass. Add the PHP location, or narrow the one that takes its requests.
    """
    view = layout(subject)
    for server in view.servers:
        if not view.whole(server) or server.has("return", "rewrite") or not server.readable:
            continue
        said = set()
        for path, at in (*_asked_for(server), *_lying_there(server, subject)):
            place = server.target(path) or server
            shadowed = isinstance(place, Location) and place.is_regex and _is_wanted(server, path)
            if path not in said and not shadowed and _serves_source(place, path, subject.around.exists):
                said.add(path)
                message = f"{path} is sent as it is: no location hands it to php-fpm"
                hint = "add a location ~ \\.php$ with fastcgi_pass"
                yield finding("nginx-php-source", message, at.at, hint)


def _is_wanted(server: Server, path: str) -> bool:
    """Would a location run the script, if only it got the request?"""
    return any(location.has("fastcgi_pass") and location.matches(path) for location in server.locations)


def _asked_for(server: Server) -> Iterator[Tuple[str, Directive]]:
    """Scripts that the server itself asks for, and where: the last word of try_files, and an index of its own."""
    for block in (server, *server.every_location()):
        if block is not server and block.hands_on:
            continue
        for directive in block.own("try_files"):
            yield from ((path, directive) for path in _php_paths(directive.args[-1:]))
        prefix = block.path.rstrip("/") if isinstance(block, Location) and not block.is_regex else ""
        asking = (server.target("/") or server) if block is server else block
        for directive in block.own("index") if block.own("index") == asking.effective("index") else ():
            yield from ((f"{prefix}/{word}", directive) for word in directive.args if re.match(r"[\w-]+\.php\Z", word))


def _lying_there(server: Server, subject: Subject) -> Iterator[Tuple[str, Directive]]:
    """The first script directly below the server's root, where the files are known."""
    names = subject.around.names(server.folder) if subject.around.names and server.folder else None
    first = next((name for name in sorted(names or ()) if name.endswith(".php")), "")
    if first and server.root:
        yield f"/{first}", server.root


def _php_paths(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        path = word.partition("?")[0]
        if path.startswith("/") and path.endswith(".php") and "$" not in path:
            yield path


def _serves_source(place: Block, path: str, exists: Optional[Exists]) -> bool:
    """Does nginx itself send the file?"""
    if place.hands_on or place.root is None or place.has("return", "rewrite", "deny", "internal", "if", "perl", "js_content"):
        return False
    if any(directive.args[:1] == ("all",) for directive in place.effective("deny")):
        return False
    for directive in place.own("try_files"):
        if not any(word.startswith(("$uri", "$document_uri", path)) for word in directive.args[:-1]):
            return False
    known = exists and place.folder and exists(place.folder)
    return not (known and exists and exists(place.folder + path) is False)
