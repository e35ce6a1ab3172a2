"""php.ini, as far as a pool leaves something to it."""

from __future__ import annotations

import posixpath
import re
from typing import Iterator, Mapping, Optional

from deploykit.rules.rule import Subject, Surroundings

DEFAULTS = {"upload_max_filesize": "2M", "post_max_size": "8M", "memory_limit": "128M"}
UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_WRITTEN = re.compile(rf"^[ \t]*({'|'.join(DEFAULTS)})[ \t]*=[ \t]*\"?([^\s;\"]*)", re.MULTILINE)
_SIZE = re.compile(r"\s*([0-9]+)\s*([kmg]?)\s*\Z", re.IGNORECASE)


def size(text: str) -> Optional[int]:
    """Bytes of a php.ini size; None where it is none, or -1 (no limit)."""
    match = _SIZE.match(text)
    return int(match.group(1)) * UNITS[match.group(2).lower()] if match else None


def sizes(subject: Subject) -> Mapping[str, str]:
    """What php.ini says of the three sizes that belong together where it can be read, else PHP's defaults."""
    found = dict(DEFAULTS)
    for text in _texts(subject):
        found.update(_WRITTEN.findall(text))
    return found


def _texts(subject: Subject) -> Iterator[str]:
    around, files = subject.around, subject.fpm.files if subject.fpm else ()
    if around.read is None or not files:
        return
    folder = posixpath.dirname(files[0])
    for path in (f"{folder}/php.ini", f"{folder}/php/php.ini", "/etc/php.ini"):
        yield from _text(path, around)
    for scanned in (f"{folder}/conf.d", f"{folder}/php/conf.d", "/etc/php.d"):
        for name in sorted((around.names(scanned) if around.names else None) or ()):
            if name.endswith(".ini"):
                yield from _text(f"{scanned}/{name}", around)


def _text(path: str, around: Surroundings) -> Iterator[str]:
    content = around.read(path) if around.read else None
    if content is not None:
        yield content.decode("utf-8", "replace")
