"""Just enough of php-fpm's files for a reload: pools and their addresses, the grace of a reload, a bridge between two files.

Light scans of lines, for the few files that have changed; the full parser lives with the other parsers.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from deploykit.model import Service
from deploykit.system.port import Readable

BRIDGE = "zz-deploykit-bridge-"
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
HEADER = (
    "; Written by deploykit: keeps the former address of a pool alive while nginx changes over. It goes right afterwards.\n"
)


def listens(text: str) -> Mapping[str, str]:
    """Pool name to address (``unix:/run/x.sock``, ``127.0.0.1:9000``, ``9000``) for the pools of one file."""
    found: Dict[str, str] = {}
    for pool, key, line in _lines(text):
        if key == "listen" and pool not in ("", "global"):
            value = line.partition("=")[2].partition(";")[0].strip().strip("\"'").replace("$pool", pool)
            found[pool] = f"unix:{value}" if value.startswith("/") else value
    return found


def control_timeout(text: str) -> int:
    """Seconds of ``process_control_timeout`` in php-fpm's main file; 0, its default, when it is not set."""
    found = re.findall(r"^[ \t]*process_control_timeout\s*=\s*[\"']?(\d+)\s*([smhd]?)", text, re.MULTILINE)
    return int(found[-1][0]) * UNITS[found[-1][1]] if found else 0


def bridge_text(text: str, pools: Sequence[str]) -> str:
    """A pool file that keeps ``pools`` of a former pool file answering at their addresses, under names of its own.

    The pools start children only when somebody still asks there, and have no status address of their own: that one
    belongs to the pool that took their place.
    """
    kept: List[str] = [HEADER]
    for pool, key, line in _lines(text):
        if pool not in pools or key in ("pm", "pm.status_listen"):
            continue
        if key == "[":
            kept.append(f"[deploykit-bridge-{pool}]\npm = ondemand\n")
        else:
            kept.append(line.replace("$pool", pool) + "\n")
    return "".join(kept)


def addresses(service: Service, machine: Readable) -> Tuple[str, ...]:
    """Every address that the live pool files name, in the order php-fpm reads them."""
    found: List[str] = []
    for path in pool_files(service, machine):
        found.extend(listens(machine.read(path).decode("utf-8", "replace")).values())
    return tuple(dict.fromkeys(found))


def pool_files(service: Service, machine: Readable) -> Tuple[str, ...]:
    """The live ``*.conf`` of php-fpm's pool folder."""
    folder = f"{service.root}/{dict(service.folders).get('pool.d', 'pool.d')}"
    return tuple(f"{folder}/{name}" for name in machine.names(folder) if name.endswith(".conf"))


def _lines(text: str) -> Iterator[Tuple[str, str, str]]:
    """(pool, key, line) of each line that is no comment; the key of a ``[pool]`` line is ``[``."""
    pool = ""
    for line in text.splitlines():
        bare = line.strip()
        section = re.match(r"\[([^\]]+)\]", bare)
        if section:
            pool = section.group(1).strip()
            yield pool, "[", line
        elif bare and not bare.startswith(";"):
            yield pool, bare.partition("=")[0].strip(), line
