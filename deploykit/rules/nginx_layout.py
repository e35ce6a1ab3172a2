"""What stands where in nginx's configuration: built once from the tree, looked at by every rule."""

from __future__ import annotations

from functools import cached_property
from typing import Dict, FrozenSet, List, Sequence, Tuple

from deploykit.parsers.nginx_tree import Directive, NginxConfig, Parents, defined_variables, walk
from deploykit.rules.nginx_blocks import Block, Server
from deploykit.rules.nginx_releases import foreign, is_directive
from deploykit.rules.rule import Subject

Found = Tuple[Directive, Parents]
_STOCK = ("fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "proxy_params", "mime.types")


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
