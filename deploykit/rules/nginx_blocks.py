"""Servers, locations and ``if`` blocks of nginx: what holds in them, and which location takes a path."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Iterator, Optional, Tuple

from deploykit.parsers.nginx_tree import Directive, Parents
from deploykit.rules.nginx_listens import Listen, listen_of
from deploykit.rules.nginx_regex import compiled

if TYPE_CHECKING:
    from deploykit.rules.nginx_layout import Layout

PASSES = ("fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass", "tunnel_pass")
_SIGNS = ("=", "~*", "^~", "~")


class Block:
    """A server, location or ``if`` with the blocks around it. chain: the root first, this one last."""

    def __init__(self, chain: Parents, layout: Layout) -> None:
        self.chain = chain
        self.layout = layout

    @property
    def directive(self) -> Directive:
        return self.chain[-1]

    def own(self, name: str) -> Tuple[Directive, ...]:
        """Directives of this name directly in the block."""
        return self.layout.inside(self.directive).get(name, ())

    def effective(self, name: str) -> Tuple[Directive, ...]:
        """What holds here of a directive: all of that name on the nearest level that has one."""
        for level in reversed(self.chain):
            found = self.layout.inside(level).get(name)
            if found:
                return found
        return ()

    def value(self, name: str, default: str = "") -> str:
        """The first argument of a directive that is in effect."""
        found = self.effective(name)
        return found[-1].args[0] if found and found[-1].args else default

    def has(self, *names: str) -> bool:
        """Does any of these stand directly in the block?"""
        inside = self.layout.inside(self.directive)
        return any(name in inside for name in names)

    def inner(self, name: str) -> Tuple[Block, ...]:
        """The blocks of this name directly in the block."""
        return tuple(type(self)((*self.chain, d), self.layout) for d in self.own(name) if d.block is not None)

    @cached_property
    def locations(self) -> Tuple[Location, ...]:
        """The locations directly in the block, as they stand."""
        return tuple(Location((*self.chain, d), self.layout) for d in self.own("location") if d.block is not None and d.args)

    def every_location(self) -> Iterator[Location]:
        """The locations in the block and in those."""
        for location in self.locations:
            yield location
            yield from location.every_location()

    @property
    def ifs(self) -> Tuple[Block, ...]:
        return tuple(Block((*self.chain, d), self.layout) for d in self.own("if") if d.block is not None)

    @property
    def hands_on(self) -> bool:
        """Is the request passed on to another program here?"""
        return self.has(*PASSES)

    @property
    def root(self) -> Optional[Directive]:
        """The ``root`` or ``alias`` in effect; None when nginx takes its built-in one."""
        for level in reversed(self.chain):
            inside = self.layout.inside(level)
            found = inside.get("root") or inside.get("alias")
            if found and found[-1].args:
                return found[-1]
        return None

    @property
    def folder(self) -> str:
        """The root in effect as a path without a slash at its end; ``""`` when it is relative or depends on a variable."""
        root = self.root
        path = root.args[0] if root else ""
        return path.rstrip("/") if root and root.name == "root" and path.startswith("/") and "$" not in path else ""


class Location(Block):
    """A location. sign: ``= ^~ ~ ~* @`` or ``""``; path: the path, pattern or name behind it."""

    @cached_property
    def parts(self) -> Tuple[str, str]:
        words = self.directive.args
        if len(words) > 1:
            return words[0], words[1]
        sign = next((sign for sign in _SIGNS if words[0].startswith(sign)), "")
        return ("@", words[0]) if words[0].startswith("@") else (sign, words[0][len(sign) :])

    @property
    def sign(self) -> str:
        return self.parts[0]

    @property
    def path(self) -> str:
        return self.parts[1]

    @property
    def is_regex(self) -> bool:
        return self.sign in ("~", "~*")

    def matches(self, path: str) -> bool:
        """Does its own line match this path? Where a pattern cannot be read: no."""
        if self.is_regex:
            regex = compiled(self.path, self.sign == "~*")
            return bool(regex and regex.search(path))
        return path == self.path if self.sign == "=" else self.sign != "@" and path.startswith(self.path)

    @property
    def text(self) -> str:
        return " ".join(("location", *self.directive.args))


class Server(Block):
    """A server of the http level. names: as written after server_name, lower case, ``("",)`` when there is none."""

    @cached_property
    def listens(self) -> Tuple[Listen, ...]:
        """What it listens at; port 80 of all addresses, at the server's own line, when it does not say."""
        made = tuple(listen_of(directive) for directive in self.own("listen") if directive.args)
        return made or (listen_of(self.directive),)

    @cached_property
    def names(self) -> Tuple[str, ...]:
        return tuple(name.lower() for directive in self.own("server_name") for name in directive.args) or ("",)

    @cached_property
    def tls(self) -> bool:
        """Does any of its addresses speak TLS, be it because another server says so?"""
        secure = self.layout.secure
        return any(listen.address in secure for listen in self.listens) or any(d.args == ("on",) for d in self.own("ssl"))

    @cached_property
    def runs_php(self) -> bool:
        return any(location.has("fastcgi_pass") for location in self.every_location())

    @cached_property
    def readable(self) -> bool:
        """Can we tell for every location which paths it takes?"""
        regexes = (location for location in self.every_location() if location.is_regex)
        return all(compiled(location.path, location.sign == "~*") is not None for location in regexes)

    def target(self, path: str) -> Optional[Location]:
        """The location that nginx chooses for a path, None when none matches."""
        return _chosen(self, path)[0]


def _chosen(block: Block, path: str) -> Tuple[Optional[Location], bool]:
    """The location within the block, and whether the search is over, in the order in which nginx searches."""
    longest = _by_prefix(block, path)
    if longest:
        within, over = _chosen(longest, path)
        if over or longest.sign in ("=", "^~"):
            return within or longest, over or longest.sign == "="
        longest = within or longest
    for location in block.locations:
        if location.is_regex and location.matches(path):
            return _chosen(location, path)[0] or location, True
    return longest, False


def _by_prefix(block: Block, path: str) -> Optional[Location]:
    """The location with this very path and ``=``, else the one with the longest path that the path begins with."""
    fitting = [location for location in block.locations if location.sign in ("", "^~", "=") and location.matches(path)]
    return max(fitting, key=lambda location: (location.sign == "=", len(location.path)), default=None)
