"""What nginx's files name outside themselves, FastCGI addresses and ports: a light look along the includes, not a parser.

Every deployment takes this look at every file, so it is a tenth of what ``parsers.nginx`` costs at a thousand hosts.

The judge asks each address for a connection; what cannot be told without running (variables) is left to the requests.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Callable, Dict, Iterator, List, Sequence, Set, Tuple

Read = Callable[[str], bytes]
Names = Callable[[str], Sequence[str]]

_COMMENT = re.compile(r"(?:^|(?<=[\s;{}]))#[^\n]*")
_INCLUDE = re.compile(r"(?:^|(?<=[\s;{}]))include\s+([^;{}]+);")
_PASS = re.compile(r"(?:^|(?<=[\s;{}]))fastcgi_pass\s+([^;{}]+);")
_UPSTREAM = re.compile(r"(?:^|(?<=[\s;{}]))upstream\s+(\S+)\s*\{([^}]*)\}")
_READ = re.compile(r"(?:^|(?<=[\s;{}]))(?:include|ssl_certificate|ssl_certificate_key|ssl_dhparam)\s+([^;{}]+);")
_LISTEN = re.compile(r"(?:^|(?<=[\s;{}]))listen\s+([^;{}]+);")
_ANY = ("", "*", "0.0.0.0", "[::]")
_SERVER = re.compile(r"(?:^|(?<=[\s;{}]))server\s+([^;\s]+)([^;]*);")


def texts(main: str, read: Read, names: Names) -> Tuple[str, ...]:
    """The texts of ``main`` and all that it includes, without comments.

    read and names look at the candidate: path -> bytes (OSError when absent), folder -> names in it.
    """
    return tuple(_texts(main, posixpath.dirname(main), read, names, set()))


def fastcgi_addresses(found: Sequence[str]) -> Tuple[str, ...]:
    """Every ``unix:/path`` and ``host:port`` after ``fastcgi_pass`` in these texts, upstreams resolved."""
    passed: Dict[str, None] = {}
    upstreams: Dict[str, List[str]] = {}
    for text in found:
        passed.update(dict.fromkeys(_unquoted(value) for value in _PASS.findall(text)))
        for name, body in _UPSTREAM.findall(text):
            upstreams[name] = [_unquoted(server) for server, flags in _SERVER.findall(body) if "down" not in flags.split()]
    addresses = [address for name in passed for address in upstreams.get(name, [name])]
    return tuple(dict.fromkeys(_with_port(a) for a in addresses if "$" not in a))


def files_outside(found: Sequence[str], root: str) -> Tuple[str, ...]:
    """Absolute paths outside ``root`` that nginx reads with its configuration: includes, certificates and keys."""
    names = dict.fromkeys(_unquoted(value) for text in found for value in _READ.findall(text))
    return tuple(n for n in names if n.startswith("/") and not n.startswith(root + "/") and not set(n) & set("*?[$"))


def listens(found: Sequence[str]) -> Tuple[Tuple[str, int], ...]:
    """(address, port) of every TCP ``listen`` in these texts; the address is ``""`` for all of them."""
    made: Dict[Tuple[str, int], None] = {}
    for value in dict.fromkeys(_unquoted(value.split()[0]) for text in found for value in _LISTEN.findall(text)):
        if value.startswith("unix:"):
            continue
        host, _, port = value.rpartition(":")
        if port.isdecimal():
            made[("" if host in _ANY else host.strip("[]"), int(port))] = None
        elif "." in value or value.endswith("]"):
            made[(value.strip("[]"), 80)] = None
    return tuple(made)


def _texts(path: str, root: str, read: Read, names: Names, seen: Set[str]) -> Iterator[str]:
    if path in seen:
        return
    seen.add(path)
    try:
        text = read(path).decode("utf-8", "replace")
    except OSError:
        return
    text = _COMMENT.sub("", text)
    yield text
    for pattern in _INCLUDE.findall(text):
        for included in _matches(posixpath.join(root, _unquoted(pattern)), names):
            yield from _texts(included, root, read, names, seen)


def _matches(pattern: str, names: Names) -> List[str]:
    folder, name = posixpath.split(pattern)
    if not any(c in pattern for c in "*?["):
        return [pattern]
    folders = _matches(folder, names) if any(c in folder for c in "*?[") else [folder]
    return [f"{f}/{n}" for f in folders for n in names(f) if fnmatch.fnmatchcase(n, name) and not n.startswith(".")]


def _unquoted(value: str) -> str:
    return value.strip().strip("\"'")


def _with_port(address: str) -> str:
    is_host = not address.startswith("unix:") and ":" not in address.rpartition("]")[2]
    return f"{address}:80" if is_host else address
