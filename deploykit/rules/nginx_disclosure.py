"""Pages and words that tell a stranger more than he needs to know."""

from __future__ import annotations

import re
from typing import Set

from deploykit.rules.nginx_access import LOGINS
from deploykit.rules.nginx_blocks import Location, Server
from deploykit.rules.nginx_examples import a_http, a_server
from deploykit.rules.nginx_layout import layout
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_WATCHING = re.compile(
    r"(?:\A|[/_.(|-])(?:(?:php|fpm|nginx|stub|server|basic)[_-]?)*(?:status|ping)(?:\Z|[/_.)|$-])", re.IGNORECASE
)


@rule(
    "nginx-status-page",
    "warning",
    bad=Example(nginx=a_server("root /srv/app;", "location = /nginx_status { stub_status; }")),
    good=Example(nginx=a_server("root /srv/app;", "location = /nginx_status { stub_status; allow 127.0.0.1; deny all; }")),
)
def status_page(subject: Subject) -> Found:
    """A location for the status page of nginx or php-fpm, or for php-fpm's ping, that anybody may ask.

    It tells addresses, load and the URLs that are being worked on. Add ``allow 127.0.0.1; deny all;`` or a login. A server that
    listens on the loopback only and does nothing else is left alone.
    """
    view = layout(subject)
    paths = _watched(subject)
    for server in view.servers:
        for location in server.every_location():
            shown = location.has("stub_status") or (location.has("fastcgi_pass") and _is_watching(location, paths))
            if shown and view.whole(location) and not _kept(location) and not _private(server):
                message = f"'{location.text}' shows its status to everybody"
                yield finding("nginx-status-page", message, location.directive.at, "add: allow 127.0.0.1; deny all;")


def _watched(subject: Subject) -> Set[str]:
    """Status and ping paths of the pools."""
    pools = subject.fpm.pools.values() if subject.fpm else ()
    return {path for pool in pools for path in (pool.text("pm.status_path"), pool.text("ping.path")) if path}


def _is_watching(location: Location, paths: Set[str]) -> bool:
    if location.sign == "@" or ".php" in location.path.replace("\\", ""):
        return False
    return location.path in paths or bool(_WATCHING.search(location.path))


def _kept(location: Location) -> bool:
    """Is there any look at who asks?"""
    refusing = any(block.has("return", "deny") for block in location.ifs)
    logged_in = any(location.value(name, "off") != "off" for name in LOGINS) or location.value("auth_basic", "off") != "off"
    return refusing or logged_in or bool(location.effective("deny")) or location.has("internal", "return")


def _private(server: Server) -> bool:
    """Does it listen on the loopback only, and serve nothing but such pages?"""
    local = all(listen.host.startswith(("127.", "[::1]", "localhost", "unix:")) for listen in server.listens)
    return (
        local and server.root is None and all(location.sign == "=" or location.has("return") for location in server.locations)
    )


@rule(
    "nginx-autoindex",
    "warning",
    bad=Example(nginx=a_server("root /srv/app;", "location /files/ { autoindex on; }")),
    good=Example(nginx=a_server("root /srv/app;", "location /files/ { autoindex off; }")),
)
def autoindex(subject: Subject) -> Found:
    """Folders without an index file are listed.

    Everybody sees the names of all files in them, uploads and backups too. Leave ``autoindex`` off but in a download area.
    """
    for directive, _ in layout(subject).every("autoindex"):
        if directive.args == ("on",):
            yield finding("nginx-autoindex", "folders are listed for everybody", directive.at, "leave autoindex off")


@rule(
    "nginx-server-tokens",
    "info",
    bad=Example(nginx="events {}\nhttp {\n    server { listen 80; return 204; }\n}\n"),
    good=Example(nginx=a_http("server { listen 80; return 204; }")),
)
def server_tokens(subject: Subject) -> Found:
    """server_tokens is not off: every answer and error page names nginx's version.

    It helps whoever looks for machines with a known hole, and nobody else. Write ``server_tokens off;`` into http.
    """
    view = layout(subject)
    for directive, _ in (
        view.every("http") if any(s.value("server_tokens", "on") in ("on", "build") for s in view.servers) else ()
    ):
        found = view.inside(directive).get("server_tokens", (directive,))
        message = "the version of nginx is told to everybody"
        yield finding("nginx-server-tokens", message, found[0].at, "add: server_tokens off;")
