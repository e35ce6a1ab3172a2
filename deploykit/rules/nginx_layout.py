"""What stands where in nginx's configuration: built once from the tree, looked at by every rule."""

from __future__ import annotations

from functools import cached_property
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from deploykit.parsers.nginx_tree import Directive, NginxConfig, Parents, defined_variables, walk
from deploykit.rules.nginx_listens import Listen, listen_of
from deploykit.rules.nginx_regex import compiled
from deploykit.rules.nginx_releases import foreign, is_directive
from deploykit.rules.rule import Subject

Found = Tuple[Directive, Parents]
PASSES = ("fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass", "tunnel_pass")
_STOCK = ("fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "proxy_params", "mime.types")
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


class Layout:
    """All directives of a configuration by name, and its servers."""

    def __init__(self, config: NginxConfig) -> None:
        self.config = config
        self._inside: Dict[int, Dict[str, Tuple[Directive, ...]]] = {}
        self.all: Tuple[Found, ...] = tuple(walk(config))

    @cached_property
    def named(self) -> Dict[str, List[Found]]:
        found: Dict[str, List[Found]] = {}
        for directive, parents in self.all:
            found.setdefault(directive.name, []).append((directive, parents))
        return found

    def every(self, *names: str) -> Sequence[Found]:
        """All directives of these names with the blocks around them."""
        return [found for name in names for found in self.named.get(name, ())]

    @cached_property
    def distinct(self) -> Tuple[Found, ...]:
        """Every directive once, though the file that it stands in may be included often."""
        return tuple({id(directive): (directive, parents) for directive, parents in self.all}.values())

    @cached_property
    def ours(self) -> Tuple[Found, ...]:
        """Every directive once, without what stands in blocks that we do not know: they have a language of their own."""
        return tuple(
            (d, parents)
            for d, parents in self.distinct
            if all(is_directive(p.name) and not foreign(p.name) for p in parents[1:])
        )

    def inside(self, directive: Directive) -> Dict[str, Tuple[Directive, ...]]:
        """The directives of a block by name."""
        known = self._inside.get(id(directive))
        if known is None:
            lists: Dict[str, List[Directive]] = {}
            for inner in directive.block or ():
                lists.setdefault(inner.name, []).append(inner)
            known = self._inside[id(directive)] = {name: tuple(inner) for name, inner in lists.items()}
        return known

    @cached_property
    def servers(self) -> Tuple[Server, ...]:
        """The servers of the http level."""
        every = self.every("server")
        return tuple(Server((*p, d), self) for d, p in every if d.block is not None and p[-1].name == "http")

    @cached_property
    def secure(self) -> FrozenSet[str]:
        """Addresses at which some server asks for TLS."""
        return frozenset(listen.address for server in self.servers for listen in server.listens if listen.tls)

    @cached_property
    def upstreams(self) -> Dict[str, Directive]:
        return {directive.args[0]: directive for directive, _ in self.every("upstream") if directive.args}

    @cached_property
    def variables(self) -> FrozenSet[str]:
        """Variables that the configuration itself makes, in lower case: nginx does not look at the case."""
        return frozenset(name.lower() for name in defined_variables(self.config))

    @cached_property
    def blocks(self) -> Tuple[Block, ...]:
        """Every server, every location and every ``if`` in them."""
        made: List[Block] = []
        for server in self.servers:
            for block in (server, *server.every_location()):
                made += [block, *block.ifs]
        return tuple(made)

    @cached_property
    def unread(self) -> FrozenSet[str]:
        """Places (``file:line:column``) of includes of which at least one file could not be read."""
        read = set(self.config.files)
        return frozenset(str(include.at) for include in self.config.includes if not read.issuperset(include.files))

    @cached_property
    def blind(self) -> bool:
        """Is a file missing that may define something? The lists of parameters and types that come with nginx do not."""
        read = set(self.config.files)
        lost = (path for include in self.config.includes for path in include.files if path not in read)
        return any(path.rpartition("/")[2] not in _STOCK for path in lost)

    def whole(self, block: Block) -> bool:
        """Is everything known that stands in the block and around it?"""
        if not self.unread:
            return True
        return not any(str(d.at) in self.unread for level in block.chain for d in self.inside(level).get("include", ()))


_latest: List[Layout] = []


def layout(subject: Subject) -> Layout:
    """The layout of a subject's nginx part; the one that was asked for last is kept."""
    config = subject.nginx or NginxConfig(Directive("", (), "", 0), (), (), ())
    if not _latest or _latest[0].config is not config:
        _latest[:] = [Layout(config)]
    return _latest[0]
