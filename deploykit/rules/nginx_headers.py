"""Headers that get lost, break, or carry what a stranger wrote."""

from __future__ import annotations

from typing import Dict, Iterator, List

from deploykit.parsers.nginx_tree import Directive, variables_in
from deploykit.rules.nginx_blocks import Block
from deploykit.rules.nginx_examples import a_server
from deploykit.rules.nginx_layout import layout
from deploykit.rules.nginx_regex import captures, holds_line_breaks
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_SETTING = ("add_header", "add_trailer", "proxy_set_header", "grpc_set_header", "more_set_headers")
_DECODED = frozenset(("uri", "document_uri"))


@rule(
    "nginx-add-header-lost",
    "warning",
    bad=Example(nginx=a_server("add_header X-Frame-Options DENY;", "location /a { add_header X-A 1; return 204; }")),
    good=Example(
        nginx=a_server("add_header X-Frame-Options DENY;", "location /a { add_header X-Frame-Options SAMEORIGIN; return 204; }")
    ),
)
def add_header_lost(subject: Subject) -> Found:
    """An add_header in an inner block drops all those of the blocks around it.

    They are inherited only where a block has none of its own, so security headers are missing there. Repeat them in the block,
    best with an include that both have; from nginx 1.29.3 on ``add_header_inherit merge;`` keeps them.
    """
    for block in layout(subject).blocks:
        own = {directive.args[0].lower() for directive in block.own("add_header") if directive.args}
        if not own or block.value("add_header_inherit") == "merge":
            continue
        outer = Block(block.chain[:-1], block.layout).effective("add_header")
        lost = [d.args[0] for d in outer if d.args and d.args[0].lower() not in own and d.args[1:2] != ("",)]
        if lost:
            message = f"this drops headers set further out: {', '.join(dict.fromkeys(lost))}"
            yield finding("nginx-add-header-lost", message, block.own("add_header")[0].at, "repeat them here")


@rule(
    "nginx-header-newline",
    "warning",
    bad=Example(nginx=a_server("add_header Content-Security-Policy \"default-src 'self';\n  script-src *\";", "return 204;")),
    good=Example(nginx=a_server("add_header Content-Security-Policy \"default-src 'self'; script-src *\";", "return 204;")),
)
def header_newline(subject: Subject) -> Found:
    """A line break inside the value of a header.

    It goes out as a bare line feed, which browsers and load balancers refuse or read as the end of the header. Write the value
    in one line; adjacent strings cannot be joined in nginx, but a ``set`` with variables can build a long one.
    """
    for directive, _ in layout(subject).every(*_SETTING):
        if any("\n" in word or "\r" in word for word in directive.args[1:]):
            yield finding(
                "nginx-header-newline", "the value goes over more than one line", directive.at, "write it in one line"
            )


@rule(
    "nginx-header-splitting",
    "warning",
    bad=Example(nginx=a_server("location ~ ^/old/([^/]*)$ { return 302 https://app.example.com/new/$1; }")),
    good=Example(nginx=a_server("location ~ ^/old/([a-z]*)$ { return 302 https://app.example.com/new/$1; }")),
)
def header_splitting(subject: Subject) -> Found:
    """A header or redirect that takes in a piece of the path which may hold a line break.

    nginx decodes ``%0d%0a`` in the path before locations are matched, and ``[^/]*`` matches that, so a stranger can add headers
    of his own to the answer; $uri is decoded too. Use $request_uri, or capture only characters that you expect.
    """
    for block in layout(subject).blocks:
        for directive in (*block.own("add_header"), *block.own("proxy_set_header"), *block.own("return")):
            for name in _dangerous(directive, block):
                message = f"${name} may hold a line break that a visitor wrote"
                hint = "use $request_uri, or capture only the characters that you expect"
                yield finding("nginx-header-splitting", message, directive.at, hint)


def _dangerous(directive: Directive, block: Block) -> Iterator[str]:
    """Variables in a header or redirect that may hold a line break."""
    words = directive.args[1:]
    if directive.name == "return":
        redirect = directive.args[:1] and directive.args[0] in ("301", "302", "303", "307", "308")
        words = directive.args if len(directive.args) == 1 else directive.args[1:] if redirect else ()
    used = dict.fromkeys(name for word in words for name in variables_in(word))
    groups = _groups(block)
    for name in used:
        if (name in _DECODED and directive.name != "proxy_set_header") or (name in groups and holds_line_breaks(groups[name])):
            yield name


def _groups(block: Block) -> Dict[str, str]:
    """Captures that a block sees, by number or name, of the nearest condition or location that looks at the decoded path."""
    if block.has("rewrite"):
        return {}
    found: Dict[str, str] = {}
    patterns: List[str] = []
    for level in block.chain:
        args = level.args
        if level.name == "location" and args and args[0].startswith("~"):
            patterns.append(args[1] if len(args) > 1 else args[0].lstrip("~*"))
        elif level.name == "if" and len(args) == 3 and args[1] in ("~", "~*"):
            patterns.append(args[2] if args[0] in ("$uri", "$document_uri") else "")
    for pattern in patterns:
        found = {key: inner for key, inner in found.items() if not key.isdigit()}
        for number, (name, inner) in enumerate(captures(pattern), 1):
            found[str(number)] = inner
            found[name or str(number)] = inner
    return found


@rule(
    "nginx-host-spoofing",
    "info",
    bad=Example(nginx=a_server("location / {", "proxy_set_header Host $http_host;", "proxy_pass http://127.0.0.1:8080;", "}")),
    good=Example(nginx=a_server("location / {", "proxy_set_header Host $host;", "proxy_pass http://127.0.0.1:8080;", "}")),
)
def host_spoofing(subject: Subject) -> Found:
    """The application is told the Host header just as the client wrote it.

    $http_host may be anything, even when the request line names another host; links and cache keys made from it can be forged.
    Use $host.
    """
    for directive, _ in layout(subject).every("proxy_set_header"):
        if [word.lower() for word in directive.args] == ["host", "$http_host"]:
            yield finding("nginx-host-spoofing", "the Host header is passed on unchecked", directive.at, "use $host")
