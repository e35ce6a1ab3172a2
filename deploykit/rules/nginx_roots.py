"""Folders from which nginx serves."""

from __future__ import annotations

from typing import Iterator, Optional

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import PASSES, Block, Location, Server
from deploykit.rules.nginx_examples import PHP, a_block, a_server, a_site
from deploykit.rules.nginx_layout import layout
from deploykit.rules.render import NOTHING
from deploykit.rules.rule import Example, Exists, Found, Subject, finding, rule

PUBLIC = frozenset(("public", "public_html", "web", "webroot", "www", "html", "htdocs", "pub", "httpdocs", "docroot", "dist"))
# Directives that answer a request, or hand it to something else.
_ANSWERS = (
    *PASSES,
    "return",
    "rewrite",
    "if",
    "set",
    "empty_gif",
    "stub_status",
    "internal",
    "perl",
    "js_content",
    "flv",
    "mp4",
)


@rule(
    "nginx-root-missing",
    "error",
    bad=Example(
        nginx=a_server("root /srv/nosuch;", "location / { try_files $uri =404; }"), around={"exists": lambda path: False}
    ),
    good=Example(
        nginx=a_server("root /srv/app;", "location / { try_files $uri =404; }"),
        around={"exists": lambda path: path == "/srv/app"},
    ),
)
def root_missing(subject: Subject) -> Found:
    """A root that is neither in the application nor on the machine.

    nginx starts and answers 404 to everything. Correct the path, or deploy the application there first; with releases behind a
    symbolic link the link must be there before the check. A warning where only one location uses it. Only judged where the
    files are known.
    """
    exists = subject.around.exists
    for directive, parents in layout(subject).every("root") if exists else ():
        path = directive.args[0] if directive.args else ""
        if exists and path.startswith("/") and "$" not in path and exists(path.rstrip("/") or "/") is False:
            partial = parents[-1].name == "location" and parents[-1].args != ("/",)
            severity = "warning" if partial else "error"
            message = f"the root {path} does not exist"
            yield finding("nginx-root-missing", message, directive.at, "correct the path, or make it", severity)


@rule(
    "nginx-root-relative",
    "warning",
    bad=Example(nginx=a_server("root public;", "location / { try_files $uri =404; }")),
    good=Example(nginx=a_server("root /srv/app/public;", "location / { try_files $uri =404; }")),
)
def root_relative(subject: Subject) -> Found:
    """A root or alias that does not begin with a slash.

    nginx takes it as lying below the folder that it was built for (/usr/share/nginx, /etc/nginx ...), whatever that is on the
    machine: mostly 404. Write the whole path.
    """
    for directive, _ in layout(subject).every("root", "alias"):
        path = directive.args[0] if directive.args else "/"
        if path and path[0] not in "/$" and path not in NOTHING:
            message = f"the {directive.name} '{path}' lies below nginx's own prefix"
            yield finding("nginx-root-relative", message, directive.at, "write the whole path")


@rule(
    "nginx-root-default",
    "error",
    bad=Example(nginx=a_server("location / { root /srv/app; try_files $uri =404; }", *a_block("location ~ \\.php$", *PHP))),
    good=Example(nginx=a_site()),
)
def root_default(subject: Subject) -> Found:
    """A location that serves files, or tells php-fpm the document root, and inherits no root.

    nginx takes the folder that it was built with, so that every script is "Primary script unknown" and every file 404. A
    root within ``location /`` does not hold for the locations beside it. Write ``root`` into the server.
    """
    view = layout(subject)
    said = set()
    for server in view.servers:
        swallowed = any("/" in name for name in server.names)  # by a server_name without its semicolon
        for block in (server, *server.every_location()) if not swallowed else ():
            rootless = not block.effective("root") and not block.effective("alias") and view.whole(block)
            directive = _without_root(block, server) if rootless else None
            if directive and directive.at not in said:
                said.add(directive.at)
                message = "no root is in effect here: nginx takes the one that it was built with"
                yield finding(
                    "nginx-root-default", message, directive.at, "write root into the server, outside of any location"
                )


def _without_root(block: Block, server: Server) -> Optional[Directive]:
    """The directive that needs a root in this block, None when nothing does."""
    if block.has("fastcgi_pass"):
        params = [d for d in block.effective("fastcgi_param") if len(d.args) > 1 and d.args[0] == "SCRIPT_FILENAME"]
        needs = bool(params) and params[-1].args[1].startswith(("$document_root", "$realpath_root"))
        return block.directive if needs else None
    for directive in block.own("try_files"):
        if not block.hands_on and len(directive.args) > 1 and directive.args[0] in ("$uri", "$uri/"):
            return None if directive.args[-1].startswith("@") else directive
    return _plain_files(block, server)


def _plain_files(block: Block, server: Server) -> Optional[Directive]:
    """A location that does nothing but serve files, in a server whose other locations have a root each."""
    if not isinstance(block, Location) or block.sign in ("=", "@") or block.locations:
        return None
    answered = block.has(*_ANSWERS, "deny", "try_files", "alias", "error_page") or server.has("return", "rewrite", "if")
    rooted = any(location.has("root") for location in server.every_location())
    return block.directive if rooted and not answered and block.has("expires", "index", "autoindex") else None


@rule(
    "nginx-root-project",
    "error",
    bad=Example(nginx=a_site(), around={"exists": lambda path: path in ("/srv/app/public", "/srv/app/public/composer.json")}),
    good=Example(nginx=a_site(), around={"exists": lambda path: path in ("/srv/app/public", "/srv/app/public/index.php")}),
)
def root_project(subject: Subject) -> Found:
    """The root is the project's folder instead of the public one in it.

    It holds composer.json, .env or .git, or a folder public/ with the front controller: the front page answers 403, routes 404,
    and ``/.env`` comes out with its passwords. Let the root end in ``/public``. Only judged where the files are known.
    """
    exists = subject.around.exists
    for directive, _ in layout(subject).every("root") if exists else ():
        path = directive.args[0].rstrip("/") if directive.args else ""
        sign = _project_sign(path, exists) if exists and path.startswith("/") and "$" not in path else ""
        if sign:
            hint = f"let the root end in {sign.rpartition('/')[0]}" if "/" in sign else "let it end in the public folder"
            yield finding("nginx-root-project", f"the root {path} holds {sign}", directive.at, hint)


def _project_sign(path: str, exists: Exists) -> str:
    """What shows that a folder is a project's: a path in it, ``""`` when nothing does or it holds the front page itself."""
    if any(exists(f"{path}/{name}") for name in ("index.php", "index.html")):
        return ""
    return next((sign for sign in _signs(path) if exists(f"{path}/{sign}")), "")


def _signs(path: str) -> Iterator[str]:
    yield "composer.json"
    yield from (f"{folder}/index.php" for folder in ("public", "web"))
    if path.rpartition("/")[2] not in PUBLIC:
        yield from (".env", ".git")
