"""Which places of nginx hand requests to which pools, and what is in effect there.

A *passing* is one ``fastcgi_pass`` with the blocks around it. What nginx inherits from them is resolved by
``parsers.nginx.effective``; where it goes is resolved through upstreams and variables that are set once.
"""

from __future__ import annotations

import posixpath
import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from deploykit.errors import Location
from deploykit.parsers.nginx_tree import Directive, NginxConfig, Parents, effective, walk
from deploykit.parsers.php_fpm_tree import Pool
from deploykit.rules.pool_addresses import Address, all_listening, network, socket_path
from deploykit.rules.pools import pools_of
from deploykit.rules.rule import Subject

SIZE_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
TIME_UNITS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}
ROOT = re.compile(r"\$\{?(?:document_root|realpath_root)\}?")
_TIME = re.compile(r"([0-9]+)(ms|[smhdwMy]?) *")
_SIZE = re.compile(r"([0-9]+)([kmg]?)\Z", re.IGNORECASE)


class Passing(NamedTuple):
    """One fastcgi_pass. blocks: those around it, the outermost first."""

    directive: Directive
    blocks: Parents

    @property
    def location(self) -> Optional[Directive]:
        """The innermost location around it."""
        return next((block for block in reversed(self.blocks) if block.name == "location"), None)

    def first(self, name: str) -> Optional[Directive]:
        """A directive that is in effect here."""
        found = effective(name, self.blocks)
        return found[-1] if found and found[-1].args else None

    def param(self, name: str) -> str:
        """A fastcgi_param that is in effect here, as written; ``""`` where there is none."""
        values = [d.args[1] for d in effective("fastcgi_param", self.blocks) if len(d.args) > 1 and d.args[0] == name]
        return values[-1] if values else ""

    @property
    def root(self) -> str:
        """The document root in effect; ``""`` where it is relative or depends on a variable."""
        for block in reversed(self.blocks):
            found = block.find("root") or block.find("alias")
            if found:
                path = found[-1].args[0] if found[-1].args else ""
                return path.rstrip("/") or "/" if path.startswith("/") and "$" not in path else ""
        return ""

    @property
    def script(self) -> str:
        """SCRIPT_FILENAME with the document root filled in; ``""`` where that is not known."""
        written = self.param("SCRIPT_FILENAME")
        if ROOT.search(written):
            root = self.root
            written = ROOT.sub(lambda _: root, written) if root else ""
        return written if written.startswith("/") else ""

    @property
    def script_folder(self) -> str:
        """The folder in or below which the scripts lie; ``""`` where that is not known."""
        fixed, variable, _ = self.script.partition("$")
        folder = fixed if variable else posixpath.dirname(fixed)
        return folder.rstrip("/") or ("/" if folder else "")

    def sets(self, name: str) -> bool:
        """Does nginx itself set this setting of php.ini for the request?"""
        return any(name in self.param(param) for param in ("PHP_VALUE", "PHP_ADMIN_VALUE"))


class Link(NamedTuple):
    """A passing, one address that it goes to (where it is written, and as text), and the pools that listen there."""

    passing: Passing
    at: Location
    text: str
    address: Address
    pools: Tuple[Pool, ...]


class Wiring(NamedTuple):
    """All links, and for each pool (by its name) the passings that reach it."""

    links: Tuple[Link, ...]
    reached: Mapping[str, Tuple[Passing, ...]]


def wiring(subject: Subject) -> Wiring:
    """How nginx and php-fpm of a subject hang together; empty where one of them is missing."""
    if subject.nginx is None or subject.fpm is None:
        return Wiring((), {})
    listeners = _Listeners(pools_of(subject))
    links = tuple(
        Link(passing, at, text, address, listeners.at(address) if _ours(address, subject) else ())
        for passing, at, text, address in _addressed(subject.nginx)
    )
    reached: Dict[str, Dict[int, Passing]] = {}
    for link in links:
        for pool in link.pools:
            reached.setdefault(pool.name, {})[id(link.passing)] = link.passing
    return Wiring(links, {name: tuple(passings.values()) for name, passings in reached.items()})


def _ours(address: Address, subject: Subject) -> bool:
    """May it be a pool of this configuration? An address of another machine is not; a name may be one for this."""
    if address.here:
        return True
    numeric = all(":" in host or host.replace(".", "").isdigit() for host in address.hosts)
    return not numeric or bool(address.hosts & (subject.around.addresses or frozenset()))


class _Listeners:
    """Pools, found by what they listen at."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.known: Dict[Tuple[str, int], List[Tuple[Address, Pool]]] = {}
        for pool in pools:
            for _, address in all_listening(pool):
                self.known.setdefault((address.socket, address.port), []).append((address, pool))

    def at(self, wanted: Address) -> Tuple[Pool, ...]:
        found = self.known.get((wanted.socket, wanted.port), ())
        return tuple(pool for address, pool in found if address.meets(wanted))


def _addressed(config: NginxConfig) -> Iterator[Tuple[Passing, Location, str, Address]]:
    passings: List[Passing] = []
    upstreams: Dict[str, Directive] = {}
    variables: Dict[str, List[Directive]] = {}
    for directive, parents in walk(config):
        if directive.name == "fastcgi_pass" and directive.args:
            passings.append(Passing(directive, parents))
        elif directive.name == "upstream" and directive.args:
            upstreams[directive.args[0]] = directive
        elif directive.name == "set" and len(directive.args) == 2:
            variables.setdefault(directive.args[0], []).append(directive)
    for passing in passings:
        text, at = _resolved(passing.directive, variables)
        for one, place in _servers(text, at, upstreams):
            address = Address(socket_path(one[5:])) if one.startswith("unix:") else network(one)
            if address and "$" not in one:
                yield passing, place, one, address


def _resolved(directive: Directive, variables: Mapping[str, List[Directive]]) -> Tuple[str, Location]:
    """The address as written, or what its variable holds, if that is set in one place only."""
    setting = variables.get(directive.args[0], [])
    return (setting[0].args[1], setting[0].at) if len(setting) == 1 else (directive.args[0], directive.at)


def _servers(text: str, at: Location, upstreams: Mapping[str, Directive]) -> Iterator[Tuple[str, Location]]:
    upstream = upstreams.get(text)
    if upstream is None:
        yield text, at
        return
    for server in upstream.find("server"):
        if server.args and "down" not in server.args:
            yield server.args[0], server.at


def size(text: str) -> Optional[int]:
    """Bytes of a size of nginx; None where it is none."""
    match = _SIZE.match(text)
    return int(match.group(1)) * SIZE_UNITS[match.group(2).lower()] if match else None


def seconds(text: str) -> Optional[float]:
    """Seconds of a time of nginx; None where it is none."""
    parts = _TIME.findall(text)
    if not parts or _TIME.sub("", text):
        return None
    return sum(int(number) * TIME_UNITS[unit] for number, unit in parts)


def speaks_php(link: Link) -> bool:
    """Does it look like PHP, and not like another program that speaks FastCGI?"""
    passing = link.passing
    location = passing.location
    words = [link.text, *(location.args if location else ()), passing.param("SCRIPT_FILENAME"), passing.param("SCRIPT_NAME")]
    index = passing.first("fastcgi_index")
    words += index.args if index else ()
    return any("php" in word.lower() for word in words)
