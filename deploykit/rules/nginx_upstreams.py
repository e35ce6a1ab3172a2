"""Where requests are passed on to."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, List, Optional, Set

from deploykit.parsers.nginx_tree import Directive, Parents, effective, variables_in
from deploykit.rules.nginx_blocks import PASSES
from deploykit.rules.nginx_examples import a_server
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_listens import host_and_port
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_RUNTIME = tuple(name for name in PASSES if name != "memcached_pass")
_NUMERIC = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\])\Z")
# Variables that hold a host's name when a browser asks.
_HOSTS = frozenset(("host", "http_host", "server_name", "ssl_server_name", "ssl_preread_server_name", "proxy_host"))


@rule(
    "nginx-proxy-resolver",
    "error",
    bad=Example(nginx=a_server("set $up http://backend.internal:8000;", "location /api { proxy_pass $up; }")),
    good=Example(
        nginx=a_server("resolver 10.0.0.2;", "set $up http://backend.internal:8000;", "location / { proxy_pass $up; }")
    ),
)
def proxy_resolver(subject: Subject) -> Found:
    """A pass with a variable in it leads to a host's name, and there is no resolver.

    With a variable nginx looks the name up for each request, which it can only do with ``resolver``: 502, "no resolver
    defined". localhost is a name too. Add a resolver, define an upstream of that name, or write the address.
    """
    view = layout(subject)
    known = _known_hosts(view)
    values = _values(view)
    named = _named_as_hosts(view)
    for directive, parents in view.every(*_RUNTIME):
        target = directive.args[0] if directive.args else ""
        if "$" not in target or effective("resolver", parents) or view.blind:
            continue
        host = next((host for host in _hosts(target, values, named) if _needs_dns(host, known)), None)
        if host:
            message = f"the name '{host}' is looked up for each request, and there is no resolver"
            hint = "add: resolver ADDRESS; or an upstream of that name"
            yield finding("nginx-proxy-resolver", message, directive.at, hint)


def _named_as_hosts(view: Layout) -> bool:
    """Are there upstreams that are called like the hosts which clients ask for?"""
    asked = {name for directive, _ in view.every("server_name") for name in directive.args}
    return any("." in name or name in asked for name in view.upstreams) or bool(view.every("stream") and view.upstreams)


def _hosts(target: str, values: Dict[str, List[str]], named: bool, depth: int = 4) -> Iterator[str]:
    """The hosts that a target with variables may lead to, as far as the configuration tells. named: see _named_as_hosts."""
    text = re.sub(r"\A[a-z]+://", "", target)
    head = re.split(r"[/?]", text, maxsplit=1)[0]
    names = variables_in(head)
    if not names:
        yield head
    elif len(names) == 1 and depth and re.fullmatch(r"(?:[a-z]+://)?\$\{?\w+\}?(?::\d+)?", head):
        if names[0] in _HOSTS and not named:
            yield head
        for value in values.get(names[0], ()):
            yield from _hosts(value, values, named, depth - 1)
    elif re.search(r"\.[a-z][a-z-]+(?::\d+)?\Z", head):
        yield head


def _needs_dns(host: str, known: FrozenSet[str]) -> bool:
    name, port = host_and_port(host)
    blank = not host or name in ("*", "unix", "http", "https") or host.startswith("unix:")
    return not (blank or _NUMERIC.match(name) or host.lower() in known or name in known or f"{name}:{port}" in known)


def _known_hosts(view: Layout) -> FrozenSet[str]:
    """Names that need no lookup: upstreams, and hosts of passes without variables, which nginx looks up when it starts."""
    found: Set[str] = {name.lower() for name in view.upstreams}
    for directive, _ in view.every(*_RUNTIME):
        if directive.args and "$" not in directive.args[0]:
            head = re.sub(r"\A[a-z]+://", "", directive.args[0]).partition("/")[0].lower()
            found |= {":".join(host_and_port(head))}
    return frozenset(found)


def _values(view: Layout) -> Dict[str, List[str]]:
    """What set and map write into variables."""
    found: Dict[str, List[str]] = {}
    for directive, _ in view.every("set", "map", "split_clients"):
        if directive.name == "set" and len(directive.args) == 2:
            found.setdefault(directive.args[0].lstrip("$"), []).append(directive.args[1])
        elif directive.name != "set" and len(directive.args) == 2:
            lines = (line.args[-1] for line in directive.block or () if line.args and line.name != "include")
            found.setdefault(directive.args[1].lstrip("$"), []).extend(lines)
    return found


@rule(
    "nginx-upstream-host",
    "error",
    bad=Example(nginx=a_server("location / { proxy_pass http://nosuch.internal; }"), around={"resolve": lambda host: False}),
    good=Example(nginx=a_server("location / { proxy_pass http://app.internal; }"), around={"resolve": lambda host: True}),
)
def upstream_host(subject: Subject) -> Found:
    """A host that is passed on to does not resolve.

    nginx looks up every literal name when it starts, and does not start without an answer, at the next reboot too. Correct the
    name, or give its address. Only judged where names can be looked up.
    """
    view, resolve = layout(subject), subject.around.resolve
    for directive, parents in view.every(*PASSES, "server") if resolve else ():
        host = _literal(directive, parents)
        if host and resolve and host not in view.upstreams and resolve(host) is False:
            message = f"the host '{host}' does not resolve: nginx will not start"
            yield finding("nginx-upstream-host", message, directive.at, "correct the name, or write the address")


def _literal(directive: Directive, parents: Parents) -> Optional[str]:
    """The host's name in a pass or in a server of an upstream, None where there is an address or a variable."""
    in_upstream = directive.name != "server" or (parents[-1].name == "upstream" and "resolve" not in directive.args)
    target = directive.args[0] if directive.args and in_upstream else "$"
    text = re.sub(r"\A[a-z]+://", "", target)
    host = host_and_port(text.partition("/")[0])[0]
    plain = "$" not in target and not text.startswith("unix:") and bool(re.fullmatch(r"[A-Za-z0-9._-]+", host))
    return host if plain and not _NUMERIC.match(host) and host != "localhost" else None
