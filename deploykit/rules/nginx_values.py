"""Values that nginx refuses."""

from __future__ import annotations

import re
from typing import Dict, Iterator, Optional, Tuple

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.parsers.nginx_tree import Directive, Parents
from deploykit.rules.nginx_blocks import Block
from deploykit.rules.nginx_examples import a_server, a_site
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_regex import captures, fault
from deploykit.rules.nginx_simple import bytes_of
from deploykit.rules.nginx_words import wrong
from deploykit.rules.render import NOTHING
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_LEFT = re.compile(r"\$\{[A-Z]|\{\{")
_FAMILIES = ("fastcgi", "proxy", "scgi", "uwsgi")
_TWO = "a front part and a path: ^(.+\\.php)(/.*)$"


@rule(
    "nginx-bad-value",
    "error",
    bad=Example(nginx=a_server("client_max_body_size 10X;")),
    good=Example(nginx=a_server("client_max_body_size 10m;")),
)
def bad_value(subject: Subject) -> Found:
    """A size, time, number, port, status or word that the directive does not take.

    Sizes are whole numbers with k or m behind them (client_max_body_size takes g as well), times are whole numbers with ms, s,
    m, h, d, w, M or y, ports lie between 1 and 65535, switches are on or off. nginx does not start. Fractions, ``MB`` and
    ``Mi`` are not understood.
    """
    view = layout(subject)
    left = set()
    for directive, parents in view.ours:
        if any(word in NOTHING or word == "" or _LEFT.search(word) for word in directive.args):
            left.add((directive.file, directive.line))
        elif directive.block is None and _judged(directive, parents):
            message, hint = wrong(directive.name, directive.args)
            if message:
                yield finding("nginx-bad-value", f"{directive.name}: {message}", directive.at, hint)
                left.add((directive.file, directive.line))
    for problem in subject.nginx.problems if subject.nginx else ():
        if problem.kind == "nginx-bad-value" and (problem.at.file, problem.at.line) not in left:
            yield finding("nginx-bad-value", problem.message, problem.at, problem.hint)


def _judged(directive: Directive, parents: Parents) -> bool:
    """mail has its own listen, stream its own return."""
    outer = {parent.name for parent in parents}
    return "mail" not in outer and not ("stream" in outer and directive.name == "return")


@rule(
    "nginx-bad-regex",
    "error",
    bad=Example(nginx=a_server("location ~ ^/(foo { return 204; }")),
    good=Example(nginx=a_server("location ~ ^/(foo)$ { return 204; }")),
)
def bad_regex(subject: Subject) -> Found:
    """A regular expression that does not compile, or fastcgi_split_path_info without its two captures.

    nginx does not start. A bracket is missing or too many, or a ``*`` has nothing to repeat: ``*.php`` is a shell's pattern,
    ``\\.php$`` is the expression. An expression that holds a brace or a semicolon must stand in quotes.
    """
    view = layout(subject)
    for directive, _ in view.distinct:
        for pattern, at in _patterns(directive):
            said = fault(pattern)
            if said:
                yield finding("nginx-bad-regex", f"the regular expression '{pattern}' does not compile: {said}", at)
        if directive.name == "fastcgi_split_path_info" and directive.args and len(captures(directive.args[0])) < 2:
            yield finding("nginx-bad-regex", f"'{directive.args[0]}' captures no two parts", directive.at, _TWO)


def _patterns(directive: Directive) -> Iterator[Tuple[str, Location]]:
    """Every regular expression in a directive and where it stands."""
    args = directive.args
    if directive.name == "location" and args and args[0].startswith("~"):
        yield args[1] if len(args) > 1 else args[0].lstrip("~*"), directive.at
    elif directive.name in ("rewrite", "fastcgi_split_path_info") and args:
        yield args[0], directive.at
    elif directive.name == "if" and len(args) == 3 and args[1].lstrip("!") in ("~", "~*"):
        yield args[2], directive.at
    elif directive.name in ("server_name", "valid_referers"):
        yield from ((word[1:], directive.at) for word in args if word.startswith("~"))
    elif directive.name == "map":
        yield from ((re.sub(r"~\*?", "", line.name, count=1), line.at) for line in _keys(directive))


def _keys(table: Directive) -> Iterator[Directive]:
    """Lines of a map whose key is a regular expression."""
    return (line for line in table.block or () if line.name.startswith("~"))


@rule(
    "nginx-fastcgi-buffers",
    "error",
    bad=Example(nginx=a_site("fastcgi_buffers 4 4k;", "fastcgi_buffer_size 64k;", "fastcgi_busy_buffers_size 32k;")),
    good=Example(nginx=a_site("fastcgi_buffers 8 32k;", "fastcgi_buffer_size 64k;", "fastcgi_busy_buffers_size 64k;")),
)
def fastcgi_buffers(subject: Subject) -> Found:
    """Buffer sizes of fastcgi_, proxy_, uwsgi_ or scgi_ that do not fit each other.

    *_busy_buffers_size must be at least as large as *_buffer_size and as one of *_buffers, and smaller than all of *_buffers
    less one; unset, it is twice the larger of the first two. nginx does not start, and names the closing brace instead of the
    line. Raise *_buffers along with *_buffer_size.
    """
    view = layout(subject)
    for block in (*_http_blocks(view), *view.blocks):
        for family in _FAMILIES:
            if block.has(f"{family}_buffers", f"{family}_buffer_size", f"{family}_busy_buffers_size"):
                yield from _unfit(block, family)


def _http_blocks(view: Layout) -> Tuple[Block, ...]:
    return tuple(Block((*parents, directive), view) for directive, parents in view.every("http"))


def _unfit(block: Block, family: str) -> Iterator[Finding]:
    said: Dict[str, Tuple[str, ...]] = {}
    for ending in ("buffers", "buffer_size", "busy_buffers_size"):
        found = block.effective(f"{family}_{ending}")
        said[ending] = found[-1].args if found else ()
    count, one = _numbers(said["buffers"])
    first = bytes_of(said["buffer_size"][0]) if said["buffer_size"] else 4096
    if not count or not one or not first:
        return
    largest = max(first, one)
    busy = bytes_of(said["busy_buffers_size"][0]) if said["busy_buffers_size"] else 2 * largest
    at = _last(block, family)
    if busy is not None and busy < largest:
        message = f"{family}_busy_buffers_size is smaller than {family}_buffer_size or one of {family}_buffers"
        yield finding("nginx-fastcgi-buffers", message, at, f"it must be at least {largest // 1024}k")
    elif busy is not None and busy > (count - 1) * one:
        message = f"{family}_busy_buffers_size ({busy // 1024}k) is not smaller than all of {family}_buffers less one"
        yield finding("nginx-fastcgi-buffers", message, at, f"raise {family}_buffers: now they are {count} of {one // 1024}k")


def _numbers(words: Tuple[str, ...]) -> Tuple[int, Optional[int]]:
    if len(words) != 2:
        return 8, 4096
    return int(words[0]) if words[0].isdigit() else 0, bytes_of(words[1])


def _last(block: Block, family: str) -> Location:
    """The line to mend: the busy size, else the size of the first buffer, else the buffers."""
    for ending in ("busy_buffers_size", "buffer_size", "buffers"):
        if block.has(f"{family}_{ending}"):
            return block.own(f"{family}_{ending}")[-1].at
    return block.directive.at
