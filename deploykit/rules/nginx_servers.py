"""Which server gets a request: addresses and names."""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from deploykit.model import Finding
from deploykit.parsers.nginx import known
from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Server
from deploykit.rules.nginx_examples import a_block, a_http
from deploykit.rules.nginx_layout import layout
from deploykit.rules.nginx_listens import Listen
from deploykit.rules.rule import Example, Found, Subject, finding, rule

# What often stands in the line behind server_name.
_NEXT = frozenset(("root", "index", "listen", "return", "include", "access_log", "error_log", "charset", "ssl_certificate"))
_LISTEN_HINT = "options of the socket (backlog, reuseport, ...) belong to one listen of an address, all servers share them"


@rule(
    "nginx-duplicate-listen",
    "error",
    bad=Example(
        nginx=a_http("server { listen 80 backlog=511; return 204; }", "server { listen 80 backlog=99; server_name b; }")
    ),
    good=Example(nginx=a_http("server { listen 80 backlog=511; return 204; }", "server { listen 80; server_name b; }")),
)
def duplicate_listen(subject: Subject) -> Found:
    """One address twice in a server, socket options for one address in two servers, or two default servers of it.

    nginx does not start. ``80``, ``*:80`` and ``0.0.0.0:80`` are the same address. backlog, reuseport and the other options of
    the socket may be given once for an address, in whichever server; one server of an address may be its default_server.
    """
    options: Dict[str, Listen] = {}
    defaults: Dict[str, Listen] = {}
    for server in layout(subject).servers:
        seen: Dict[str, Listen] = {}
        for listen in server.listens:
            if seen.setdefault(listen.address, listen) is not listen:
                yield _twice(
                    listen, f"listens at {listen.address} a second time", seen[listen.address], "leave one of them out"
                )
            elif listen.socket_options and options.setdefault(listen.address, listen) is not listen:
                yield _twice(listen, f"sets options of {listen.address} again", options[listen.address], _LISTEN_HINT)
            if listen.default and defaults.setdefault(listen.address, listen) is not listen:
                hint = "only one server of an address can be its default_server"
                yield _twice(listen, f"is a second default server for {listen.address}", defaults[listen.address], hint)


def _twice(listen: Listen, what: str, first: Listen, hint: str) -> Finding:
    message = f"this {what}; the first is at {first.directive.at}"
    return finding("nginx-duplicate-listen", message, listen.directive.at, hint)


@rule(
    "nginx-server-name",
    "error",
    bad=Example(nginx=a_http(*a_block("server", "listen 80;", "server_name app.example.com", "root /srv/app/public;"))),
    good=Example(nginx=a_http(*a_block("server", "listen 80;", "server_name app.example.com;", "return 204;"))),
)
def server_name(subject: Subject) -> Found:
    """A server name with a slash in it: the semicolon behind server_name is missing, or somebody wrote a URL.

    nginx only warns ("suspicious symbols") and takes the whole next line for names, so that its directive has no effect: with a
    swallowed ``root`` the site answers 403 and 404 to everything. Put the semicolon in, or write the host's name alone.
    """
    for directive, parents in layout(subject).every("server_name"):
        swallowed = {word for word, line in zip(directive.args, directive.arg_lines) if line > directive.line and word in _NEXT}
        bad = next((name for name in directive.args if name in swallowed or ("/" in name and not name.startswith("~"))), None)
        if bad is not None and parents[-1].name == "server":
            yield finding("nginx-server-name", f"'{bad}' is no server name", directive.at, _swallowed(directive))


def _swallowed(directive: Directive) -> str:
    last = directive.line
    for word, line in zip(directive.args, directive.arg_lines):
        if line > last and known(word):
            return f"';' is missing at the end of line {last}"
        last = line
    return "write the host's name alone, without scheme and path"


@rule(
    "nginx-server-name-clash",
    "warning",
    bad=Example(nginx=a_http(*(2 * ("server { listen 80; server_name app.example.com; return 204; }",)))),
    good=Example(nginx=a_http(*(f"server {{ listen {n}; server_name app.example.com; return 204; }}" for n in (80, 8080)))),
)
def server_name_clash(subject: Subject) -> Found:
    """Two servers have one name on one address.

    nginx warns and ignores the name in the second of them, so that server never gets a request under it. Remove the server that
    is not meant, or give it another name or address. A server without a name clashes with another one without.
    """
    first: Dict[Tuple[str, str], Directive] = {}
    said = set()
    for server in layout(subject).servers:
        for name, where in _names(server):
            for listen in server.listens:
                other = first.setdefault((listen.address, name), where)
                if other is not where and (where.at, name) not in said:
                    said.add((where.at, name))
                    message = f"the name '{name}' is taken on {listen.address} by the server at {other.at}; it is ignored here"
                    yield finding("nginx-server-name-clash", message, where.at, "remove one of the two, or its name")


def _names(server: Server) -> Iterator[Tuple[str, Directive]]:
    """Each name of a server once, and the directive that gives it; the server itself when it has none."""
    found: Dict[str, Directive] = {}
    for directive in server.own("server_name"):
        for name in directive.args:
            found.setdefault(name.lower(), directive)
    yield from (found or {"": server.directive}).items()
