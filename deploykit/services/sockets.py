"""FastCGI addresses that a change of pool files gives up and takes up."""

from __future__ import annotations

import posixpath
from typing import Dict, Mapping, Sequence

from deploykit.model import Change, Service, SocketMoves
from deploykit.services.pools import BRIDGE, bridge_text, listens


def moves(service: Service, changes: Sequence[Change]) -> SocketMoves:
    """Compare the ``listen`` of every changed pool file before and after.

    When addresses go and others come in one deployment, a bridge is planned: the old pools under other names, in a file
    of their own beside the first changed pool, for as long as nginx still asks at the old addresses.
    """
    pool_files = [c for c in changes if c.service == service.name and c.path.endswith(".conf")]
    before: Dict[str, Mapping[str, str]] = {c.path: _listens(c.before) for c in pool_files}
    old = {address for pools in before.values() for address in pools.values()}
    wanted = {address for c in pool_files for address in _listens(c.after).values()}
    gone, new = tuple(sorted(old - wanted)), tuple(sorted(wanted - old))
    if not (gone and new):
        return SocketMoves(gone, new)
    leaving = {c.path: [pool for pool, address in before[c.path].items() if address in gone] for c in pool_files}
    texts = [bridge_text(c.before.decode("utf-8", "replace"), leaving[c.path]) for c in pool_files if leaving[c.path]]
    folder = posixpath.dirname(next(path for path, pools in leaving.items() if pools))
    return SocketMoves(gone, new, (f"{folder}/{BRIDGE}pools.conf", "".join(texts)))


def _listens(content: bytes) -> Mapping[str, str]:
    return listens(content.decode("utf-8", "replace"))
