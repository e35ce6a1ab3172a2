"""What nginx's reader refuses: syntax, names that do not exist, and things that may stand only once."""

from __future__ import annotations

import re
from typing import Dict, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.parsers.nginx import nearest_name
from deploykit.parsers.nginx_names import TABLES
from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_examples import a_server
from deploykit.rules.nginx_kinds import ONCE
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_releases import MODULES, foreign, is_directive, plain_name
from deploykit.rules.render_text import leftover_lines, odd_lines
from deploykit.rules.rule import Example, Found, Subject, finding, rule

# Named things that a block may define once under each name, and where the name stands.
_DEFINED_ONCE = {"upstream": 0, "log_format": 0}


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
        if problem.kind == "nginx-syntax":
            yield finding("nginx-syntax", problem.message, problem.at, problem.hint)


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
        if directive.args:
            key = (f"{parents[-1].name} {directive.name}", directive.args[0])
            first = seen.setdefault(key, directive)
            if first is not directive:
                yield _twice(directive, first.at, f"{directive.name} '{directive.args[0]}'")


def _twice(directive: Directive, first: Location, what: str) -> Finding:
    return finding("nginx-duplicate-directive", f"{what} stands a second time; the first is at {first}", directive.at)


def _blocks(view: Layout) -> Tuple[Directive, ...]:
    """Every block once, the outermost level first."""
    blocks = (directive for directive, _ in view.ours if directive.block and directive.name not in TABLES)
    return (view.config.root, *(block for block in blocks if is_directive(block.name) and not foreign(block.name)))
