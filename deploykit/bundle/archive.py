"""The zip: sorted names, one date, two modes, so that the same input makes the same bytes."""

from __future__ import annotations

import os
import stat
import zipfile
from datetime import datetime, timezone
from hashlib import sha256
from typing import Callable, Dict, Iterable, List, Mapping, Tuple

from deploykit.bundle.entry import Entry
from deploykit.bundle.verify import MANIFEST
from deploykit.errors import InvalidInput

Date = Tuple[int, int, int, int, int, int]
OLDEST: Date = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier one
_NEWEST = 4354819198  # 2107-12-31, and no later one
_UNIX = 3


def date(environment: Mapping[str, str]) -> Date:
    """SOURCE_DATE_EPOCH, seconds since 1970, as a zip has it; 1980 where it is not set. Raises InvalidInput for no number."""
    epoch = environment.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return OLDEST
    if not (epoch.isascii() and epoch.isdigit()) or int(epoch) > _NEWEST:
        raise InvalidInput(f"SOURCE_DATE_EPOCH is {epoch!r}, and no date", hint="set it to seconds since 1970, or unset it")
    utc = datetime.fromtimestamp(int(epoch), timezone.utc)
    return max(OLDEST, (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second - utc.second % 2))


def manifest(digests: Mapping[str, str]) -> bytes:
    """Text that ``sha256sum -c`` reads. digests: path to hexadecimal SHA-256."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items())).encode("utf-8")


def write(path: str, entries: Iterable[Entry], dated: Date, tell: Callable[[str], None]) -> Tuple[Dict[str, int], str]:
    """Write the zip beside its place and move it there. Returns (compressed size by path, SHA-256 of the manifest).

    The manifest comes first: where unpacking was cut short, it is there and names what is missing.
    """
    ordered = sorted(entries, key=lambda entry: entry.path)
    digests = {entry.path: _digest(entry, tell) for entry in ordered}
    listed = manifest(digests)
    unfinished = f"{path}.part"
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, Entry(MANIFEST), listed, dated)
            for entry in ordered:
                tell(f"packing {entry.path}")
                content = entry.read()
                if sha256(content).hexdigest() != digests[entry.path]:
                    raise InvalidInput(f"{entry.path} was changed while the bundle was built", hint="build it again")
                _add(archive, entry, content, dated)
            sizes = {info.filename: info.compress_size for info in archive.infolist()}
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
    return sizes, sha256(listed).hexdigest()


def _add(archive: zipfile.ZipFile, entry: Entry, content: bytes, dated: Date) -> None:
    info = zipfile.ZipInfo(entry.path, dated)
    info.create_system = _UNIX
    info.external_attr = (stat.S_IFREG | entry.mode) << 16
    archive.writestr(info, content, zipfile.ZIP_DEFLATED, 9)


def _digest(entry: Entry, tell: Callable[[str], None]) -> str:
    tell(f"hashing {entry.path}")
    return sha256(entry.read()).hexdigest()


def heaviest(sizes: Mapping[str, int], most: int = 10) -> List[Tuple[str, int, int]]:
    """What weighs most: (path, compressed bytes, files) of the heaviest files and folders two levels down."""
    groups: Dict[str, Tuple[int, int]] = {}
    for path, size in sizes.items():
        parts = path.split("/")
        name = path if len(parts) < 3 else "/".join(parts[:2]) + "/"
        name = "/".join(parts[:3]) + "/" if path.startswith("vendor/") and len(parts) > 3 else name
        bytes_before, files_before = groups.get(name, (0, 0))
        groups[name] = (bytes_before + size, files_before + 1)
    rows = [(name, size, files) for name, (size, files) in groups.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:most]
