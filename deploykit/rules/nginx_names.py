"""Names that are used and defined nowhere."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.parsers.nginx_tree import Directive, variables_in
from deploykit.parsers.problem import nearest
from deploykit.rules.nginx_examples import a_http, a_server
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_releases import foreign, is_directive
from deploykit.rules.nginx_syntax import loads_strangers
from deploykit.rules.nginx_variables import BUILT_IN, built_in
from deploykit.rules.rule import Example, Found, Subject, finding, rule

# Directives that take variables, and the first argument in which they may stand.
_TAKING = {
    **dict.fromkeys(("root", "alias", "try_files", "return", "access_log", "expires", "index", "auth_basic", "limit_rate"), 0),
    **dict.fromkeys(("add_header", "add_trailer", "set", "proxy_set_header", "grpc_set_header", "rewrite", "log_format"), 1),
    **dict.fromkeys(("fastcgi_param", "uwsgi_param", "scgi_param", "sub_filter", "error_page"), 1),
    **dict.fromkeys(("fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"), 0),
    **{
        f"{f}_{e}": 0 for f in ("fastcgi", "proxy", "uwsgi", "scgi") for e in ("cache_key", "cache_bypass", "no_cache", "cache")
    },
    **dict.fromkeys(("limit_req_zone", "limit_conn_zone", "map", "split_clients", "hash", "secure_link", "if"), 0),
    **dict.fromkeys(("auth_basic_user_file", "proxy_method", "proxy_ssl_name", "ssl_certificate", "ssl_certificate_key"), 0),
}
_STRAY = re.compile(r"\$(?![A-Za-z0-9_{])")
_BLOCKS = ("map", "split_clients")
_CACHING = ("fastcgi", "proxy", "scgi", "uwsgi")


@rule(
    "nginx-unknown-variable",
    "error",
    bad=Example(nginx=a_server("add_header X-Release $app_releese;", "return 204;")),
    good=Example(nginx=a_server("set $app_release 5;", "add_header X-Release $app_release;", "return 204;")),
)
def unknown_variable(subject: Subject) -> Found:
    """A variable that neither nginx nor a set, map, geo or capture defines, or a ``$`` with no name behind it.

    nginx does not start, and says neither file nor line. Define the variable or correct its name. A plain dollar sign cannot
    be written: ``geo $dollar { default "$"; }`` in http makes one, to be used as ``${dollar}``.
    """
    view = layout(subject)
    if view.blind or loads_strangers(view) or any(foreign(d.name) or not is_directive(d.name) for d, _ in view.distinct):
        return
    for directive in _taking(view):
        for word, line in _texts(directive):
            at = directive.at if line == directive.line else Location(directive.file, line)
            yield from _unknown(word, at, view.variables)


def _taking(view: Layout) -> Iterator[Directive]:
    """Directives in which variables are looked at, and the lines of maps, as if they were a map themselves."""
    for directive, parents in view.ours:
        if directive.name in _TAKING and not (directive.name == "return" and parents[-1].name == "stream"):
            yield directive
        for line in (directive.block or ()) if directive.name == "map" else ():
            if line.name not in ("include", "volatile", "hostnames"):
                yield Directive("map", line.args, line.file, line.line, line.column, None, line.arg_lines)


def _texts(directive: Directive) -> Iterator[Tuple[str, int]]:
    first = _TAKING[directive.name]
    lines = directive.arg_lines or (directive.line,) * len(directive.args)
    if directive.name == "if" or (directive.name in _BLOCKS and directive.block is not None):
        yield from zip(directive.args[:1], lines)
    else:
        yield from list(zip(directive.args, lines))[first:]


def _unknown(word: str, at: Location, defined: FrozenSet[str]) -> Iterator[Finding]:
    if "$" not in word:
        return
    for name in variables_in(word):
        if not built_in(name) and name.lower() not in defined and not (name.isupper() and f"${{{name}}}" in word):
            hint = nearest(name, [*defined, *BUILT_IN])
            yield finding("nginx-unknown-variable", f"nothing defines the variable ${name}", at, hint)
    if _STRAY.search(word):
        hint = 'geo $dollar { default "$"; } in http makes a dollar sign, to be written ${dollar}'
        yield finding("nginx-unknown-variable", f"no name stands behind the '$' in '{word}'", at, hint)


@rule(
    "nginx-undefined-name",
    "error",
    bad=Example(nginx=a_server("limit_req zone=logins;", "return 204;")),
    good=Example(nginx=a_http("limit_req_zone $binary_remote_addr zone=logins:1m rate=1r/s;", "limit_req zone=logins;")),
)
def undefined_name(subject: Subject) -> Found:
    """A log format, a limit's zone, a cache's zone or a FastCGI upstream that is used and not defined.

    nginx does not start; for a missing zone it only says "zero size shared memory zone", without file and line. Define it in
    http with log_format, limit_req_zone, limit_conn_zone, fastcgi_cache_path (or proxy_...) or upstream, or correct the name.
    """
    view = layout(subject)
    defined = _defined(view)
    for directive, _ in view.ours:
        for kind, name in _used(directive):
            if name not in defined[kind] and not view.blind and "$" not in name:
                hint = nearest(name, list(defined[kind])) or f"it is defined with {_MAKERS[kind]}"
                yield finding("nginx-undefined-name", f"nothing defines the {_KINDS[kind]} '{name}'", directive.at, hint)


_MAKERS = {
    "log": "log_format",
    "limit_req": "limit_req_zone",
    "limit_conn": "limit_conn_zone",
    "upstream": "upstream; an address of its own needs a port or unix:",
    **{family: f"{family}_cache_path ... keys_zone=NAME:SIZE" for family in _CACHING},
}
_KINDS = {**dict.fromkeys(_MAKERS, "zone"), "log": "log format", "upstream": "upstream"}


def _defined(view: Layout) -> Dict[str, FrozenSet[str]]:
    found: Dict[str, set[str]] = {kind: set() for kind in _MAKERS}
    found["log"].add("combined")
    found["upstream"].update(view.upstreams)
    for directive, _ in view.every("log_format"):
        found["log"].update(directive.args[:1])
    for kind in ("limit_req", "limit_conn"):
        for directive, _ in view.every(f"{kind}_zone"):
            found[kind].update(word[5:].partition(":")[0] for word in directive.args if word.startswith("zone="))
    for family in _CACHING:
        for directive, _ in view.every(f"{family}_cache_path"):
            found[family].update(word[10:].partition(":")[0] for word in directive.args if word.startswith("keys_zone="))
    return {kind: frozenset(names) for kind, names in found.items()}


def _used(directive: Directive) -> Iterator[Tuple[str, str]]:
    """Kind and name of what a directive refers to."""
    args, name = directive.args, directive.name
    family, _, ending = name.partition("_")
    if name == "access_log" and len(args) > 1 and "=" not in args[1]:
        yield "log", args[1]
    elif name == "limit_req":
        yield from ((name, word[5:]) for word in args if word.startswith("zone="))
    elif name == "limit_conn" and args:
        yield name, args[0]
    elif family in _CACHING and ending == "cache" and args and args[0] != "off":
        yield family, args[0]
    elif name in ("fastcgi_pass", "uwsgi_pass", "scgi_pass") and args and re.match(r"[\w.-]+\Z", args[0]):
        yield "upstream", args[0]
