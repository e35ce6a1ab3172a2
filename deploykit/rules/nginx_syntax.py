"""What nginx's reader refuses: syntax, names that do not exist, and things that may stand only once."""

from __future__ import annotations

import re
from typing import Dict, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.parsers.nginx import nearest_name
from deploykit.parsers.nginx_names import TABLES
from deploykit.parsers.nginx_tree import Directive
from deploykit.parsers.problem import Problem
from deploykit.rules.nginx_examples import a_server
from deploykit.rules.nginx_kinds import ONCE
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_releases import MODULES, foreign, is_directive, plain_name
from deploykit.rules.render_text import leftover_lines, odd_lines
from deploykit.rules.rule import Example, Found, Subject, finding, rule

# Where releases after the parser's table of places take a directive too.
_NEWER_PLACES = {
    "include": ("",),
    "set": ("stream",),
    "server_name": ("stream",),
    "server_names_hash_bucket_size": ("stream",),
    "server_names_hash_max_size": ("stream",),
    "set_real_ip_from": ("mail",),
    "proxy_protocol": ("mail",),
    "resolver": ("http > upstream", "stream > upstream"),
    "resolver_timeout": ("http > upstream", "stream > upstream"),
    **dict.fromkeys(("ssl_stapling", "ssl_stapling_file", "ssl_stapling_responder", "ssl_stapling_verify"), ("stream",)),
}
# What may be defined once under each name.
_DEFINED_ONCE = ("upstream", "log_format", "limit_req_zone", "limit_conn_zone")


@rule(
    "nginx-syntax",
    "error",
    bad=Example(nginx=a_server("client_max_body_size 10m", "keepalive_timeout 5s;")),
    good=Example(nginx=a_server("client_max_body_size 10m;", "keepalive_timeout 5s;")),
)
def syntax(subject: Subject) -> Found:
    """A brace, quote or semicolon that is missing or too many, a directive in the wrong block or with too many arguments.

    nginx does not start, and a reload keeps the old configuration without telling the one who asked for it. nginx itself names
    the line behind a missing semicolon; this names the line that lacks it.
    """
    for problem in subject.nginx.problems if subject.nginx else ():
        if problem.kind == "nginx-syntax" and not _allowed_since(problem):
            yield finding("nginx-syntax", problem.message, problem.at, problem.hint)


def _allowed_since(problem: Problem) -> bool:
    """Does the parser object to a place in which a later nginx takes the directive?"""
    name = re.match(r'"(\w+)" directive is not allowed here', problem.message)
    places = _NEWER_PLACES.get(name.group(1)) if name else None
    return places is not None and any(f"stands in {place}" in problem.hint for place in places)


@rule(
    "nginx-unknown-directive",
    "error",
    bad=Example(nginx=a_server("fastcgi_reed_timeout 30s;")),
    good=Example(nginx=a_server("fastcgi_read_timeout 30s;")),
)
def unknown_directive(subject: Subject) -> Found:
    """A name that no nginx has as a directive.

    nginx does not start. Most often it is a misspelling, or the rest of a line that was cut apart: a regular expression that
    holds a brace must stand in quotes. Names of widely used third-party modules count as known, and where the configuration
    loads another module nothing is said, for the name may be that module's.
    """
    view = layout(subject)
    if loads_strangers(view):
        return
    noisy = leftover_lines(subject) | odd_lines(subject)
    for directive, _ in view.ours:
        if not is_directive(directive.name) and (directive.file, directive.line) not in noisy:
            message = f"there is no directive '{directive.name}'"
            yield finding("nginx-unknown-directive", message, directive.at, _meant(directive))


def _meant(directive: Directive) -> str:
    if re.search(r"\}.*[$\\)*+]|^\d+(,\d*)?\}", directive.name):
        return "a regular expression that holds a brace or a semicolon must stand in quotes"
    return nearest_name(directive.name)


def loads_strangers(view: Layout) -> bool:
    """Is a module loaded whose directives we have no table of?"""
    official = {*MODULES.values(), "http_xslt_filter_module", "stream_geoip_module", "stream_js_module"}
    loaded = (plain_name(directive.args[0]) for directive, _ in view.every("load_module") if directive.args)
    return any(name not in official for name in loaded)


@rule(
    "nginx-duplicate-directive",
    "error",
    bad=Example(nginx=a_server("client_max_body_size 10m;", "client_max_body_size 20m;")),
    good=Example(nginx=a_server("client_max_body_size 20m;")),
)
def duplicate_directive(subject: Subject) -> Found:
    """A directive that may stand once in a block stands there twice, or two things have one name.

    nginx does not start: it says "is duplicate". The second one often comes from an include. Keep one of the two; a location
    may have its own value besides that of its server.
    """
    view = layout(subject)
    seen: Dict[Tuple[str, str], Directive] = {}
    for block in _blocks(view):
        for name, found in view.inside(block).items():
            if len(found) > 1 and name in ONCE:
                yield _twice(found[1], found[0].at, f"'{name}'")
    for directive, parents in view.every(*_DEFINED_ONCE):
        for name in _defined(directive):
            first = seen.setdefault((f"{parents[-1].name} {directive.name}", name), directive)
            if first is not directive:
                yield _twice(directive, first.at, f"{directive.name} '{name}'")


def _defined(directive: Directive) -> Tuple[str, ...]:
    """The name that a directive defines, if any."""
    if directive.name in ("upstream", "log_format"):
        return directive.args[:1]
    return tuple(word[5:].partition(":")[0] for word in directive.args if word.startswith("zone="))


def _twice(directive: Directive, first: Location, what: str) -> Finding:
    return finding("nginx-duplicate-directive", f"{what} stands a second time; the first is at {first}", directive.at)


def _blocks(view: Layout) -> Tuple[Directive, ...]:
    """Every block once, the outermost level first."""
    blocks = (directive for directive, _ in view.ours if directive.block and directive.name not in TABLES)
    return (view.config.root, *(block for block in blocks if is_directive(block.name) and not foreign(block.name)))
