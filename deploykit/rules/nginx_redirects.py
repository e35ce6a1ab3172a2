"""Redirects to https that end nowhere."""

from __future__ import annotations

import re
from typing import Iterator, Optional, Set

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Location, Server
from deploykit.rules.nginx_examples import a_block, a_http, a_site
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_regex import compiled
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_TARGET = re.compile(r"https://([^/:$]*)(\$\{?\w+\}?)?")
_OWN_NAME = frozenset(("$host", "$server_name", "$http_host", "${host}", "${server_name}", "${http_host}"))
_HEALTH = re.compile(r"health|alive|ready|heartbeat|ping|status|\belb\b", re.IGNORECASE)
_TLS = a_block(
    "server",
    "listen 443 ssl;",
    "server_name app.example.com;",
    "ssl_certificate c.pem;",
    "ssl_certificate_key k.pem;",
    "return 204;",
)
_PLAIN = a_block("server", "listen 80;", "server_name app.example.com;", "return 301 https://$host$request_uri;")


@rule(
    "nginx-https-redirect",
    "error",
    bad=Example(nginx=a_site("return 301 https://$host$request_uri;")),
    good=Example(nginx=a_http(*_PLAIN, *_TLS)),
)
def https_redirect(subject: Subject) -> Found:
    """Everything is redirected to https, and no server here speaks TLS under that name.

    Where a load balancer ends TLS this goes round for ever, and its health check gets 301; without one the browser meets a
    dead port. Redirect only ``if ($http_x_forwarded_proto = http)``, or add the TLS server. A location for the health check
    beside a ``return`` of the server is never asked, and is reported too.
    """
    view = layout(subject)
    for server in view.servers:
        directive = _for_everything(server) if not server.tls and view.whole(server) else None
        if directive is None:
            continue
        if _meets_itself(server, directive, view):
            message = "everything is redirected to https, and no server here speaks TLS under that name"
            hint = "redirect only if ($http_x_forwarded_proto = http), or add the TLS server"
            yield finding("nginx-https-redirect", message, directive.at, hint)
        elif directive in server.own("return"):
            for location in _health_checks(server):
                message = f"'{location.text}' is never asked: the server's return redirects the health check too"
                yield finding("nginx-https-redirect", message, directive.at, "put the return into location /")


def _for_everything(server: Server) -> Optional[Directive]:
    """The return or rewrite that sends whatever the server is asked for, but for some paths of their own, to https."""
    for directive in (*server.own("return"), *server.own("rewrite")):
        if _is_redirect(directive):
            return directive
    for location in server.locations:
        if location.path == "/" and location.sign in ("", "^~"):
            return next((directive for directive in location.own("return") if _is_redirect(directive)), None)
    return None


def _is_redirect(directive: Directive) -> bool:
    if directive.name == "rewrite":
        everything = directive.args[:1] in (("^",), ("^(.*)$",), ("^(.*)",), ("^/(.*)$",), ("^/(.*)",), ("(.*)",), (".*",))
        return everything and len(directive.args) > 1 and directive.args[1].startswith("https://")
    return bool(directive.args) and directive.args[-1].startswith("https://")


def _meets_itself(server: Server, directive: Directive, view: Layout) -> bool:
    """Does it lead to a name of this configuration at which nothing speaks TLS, nor serves what a balancer decrypts?"""
    match = _TARGET.match(directive.args[-1] if directive.name == "return" else directive.args[1])
    host, variable = (match.group(1).lower(), match.group(2) or "") if match else ("", "")
    path = "uri" in variable
    if (variable and not path and (host or variable not in _OWN_NAME)) or (host and host not in _every_name(view)):
        return False
    wanted = {host} if host else set(server.names)
    if _speaks_tls(view, wanted):
        return False
    return not any(other is not server and _serves(other, wanted) for other in view.servers)


def _every_name(view: Layout) -> Set[str]:
    return {name for server in view.servers for name in server.names}


def _speaks_tls(view: Layout, wanted: Set[str]) -> bool:
    """Is there a server that speaks TLS and would answer under one of these names? The default one answers under any."""
    secure = [server for server in view.servers if server.tls]
    return bool(secure) and (
        any(_has_name(server, wanted) for server in secure) or any(listen.default for s in secure for listen in s.listens)
    )


def _has_name(server: Server, wanted: Set[str]) -> bool:
    return any(_fits(own, name) for own in server.names for name in wanted)


def _fits(own: str, name: str) -> bool:
    """Does a server's name take this one? A name that says nothing takes and wants all."""
    if own == name or own in ("", "_") or name in ("", "_") or name.startswith("~") or "*" in name:
        return True
    if own.startswith("~"):
        regex = compiled(own[1:], True)
        return regex is None or bool(regex.search(name))
    return (own.startswith(("*.", ".")) and name.endswith(own.lstrip("*"))) or (own[0] == "." and name == own[1:])


def _serves(other: Server, wanted: Set[str]) -> bool:
    """Another plain server of the name that answers itself: it may be the one to which the balancer sends what it decrypts."""
    return _for_everything(other) is None and not other.tls and _has_name(other, wanted) and bool(other.locations or other.root)


def _health_checks(server: Server) -> Iterator[Location]:
    return (location for location in server.locations if location.sign != "@" and _HEALTH.search(location.path))
