"""Folders that systemd makes at boot or when php-fpm starts, so that they need not be there before."""

from __future__ import annotations

from typing import Iterator

from deploykit.rules.rule import Surroundings

TMPFILES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/lib/tmpfiles.d")
UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def is_made(folder: str, around: Surroundings) -> bool:
    """Does a line of tmpfiles.d or a unit of php-fpm make it? False where nobody can look."""
    return folder in _by_tmpfiles(around) or folder in _by_units(around)


def _by_tmpfiles(around: Surroundings) -> Iterator[str]:
    for path in _files(around, TMPFILES, "", ".conf"):
        for line in _lines(around, path):
            words = line.split()
            if len(words) > 1 and words[0][:1] in ("d", "D"):
                yield _plain(words[1])


def _by_units(around: Surroundings) -> Iterator[str]:
    services = list(_files(around, UNITS, "fpm", ".service"))
    dropins = [path for folder in _files(around, UNITS, "fpm", ".service.d") for path in _files(around, (folder,), "", ".conf")]
    for path in (*services, *dropins):
        for line in _lines(around, path):
            key, _, value = line.partition("=")
            if key.strip() == "RuntimeDirectory":
                yield from (f"/run/{name.partition(':')[0]}" for name in value.split())


def _files(around: Surroundings, folders: tuple[str, ...], part: str, ending: str) -> Iterator[str]:
    for folder in folders if around.names else ():
        for name in (around.names(folder) if around.names else None) or ():
            if part in name and name.endswith(ending):
                yield f"{folder}/{name}"


def _lines(around: Surroundings, path: str) -> Iterator[str]:
    content = around.read(path) if around.read else None
    return iter((content or b"").decode("utf-8", "replace").splitlines())


def _plain(path: str) -> str:
    path = path.rstrip("/")
    return path[len("/var") :] if path.startswith("/var/run/") else path
