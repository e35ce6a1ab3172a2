"""Compare an unpacked bundle with its manifest, before anything of it is imported.

run.py loads this file by its path, never by an import: it must get along with the standard library alone, and no bytecode of
it may be used. What is found is told in one line; the order is that of the paths, so the same bundle gives the same line.
"""

from __future__ import annotations

import hashlib
import os

MANIFEST = "MANIFEST.sha256"
MARKERS = ("MANIFEST.checked", "MANIFEST.checked.new")
# Nobody but the build puts files here. In the application's folders the application itself may.
CLOSED = ("config_templates/", "deploykit/", "hooks/", "vendor/aarch64/", "vendor/lib/", "vendor/x86_64/")
_CHUNK = 1 << 20
_AGAIN = "deploy the revision again"


def difference(folder: str) -> str:
    """What is not as it was bundled, in words; ``""`` when everything is. folder: where the bundle was unpacked."""
    try:
        listed = read(os.path.join(folder, MANIFEST))
        found = [problem for problem in _problems(folder, listed) if problem]
    except OSError as error:
        return f"{shown(os.path.relpath(error.filename or folder, folder))}: {(error.strerror or '').lower()}; {_AGAIN}"
    except ValueError as error:
        return f"{MANIFEST}: {error}; {_AGAIN}"
    if not found:
        return ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return sorted(found)[0] + more


def read(path: str) -> dict[str, str]:
    """Path to hexadecimal SHA-256, as a manifest lists them. Raises OSError, and ValueError for what is no manifest."""
    listed = {}
    with open(path, encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            digest, blanks, name = line[:64], line[64:66], line[66:-1]
            if blanks != "  " or not name or not line.endswith("\n") or not set(digest) <= set("0123456789abcdef"):
                raise ValueError(f"line {number} is not as it was bundled")
            listed[name] = digest
    if not listed:
        raise ValueError("it is empty")
    return listed


def shown(name: str) -> str:
    """A name that anything may be in, as part of one line."""
    return "".join(one if one.isprintable() else "?" for one in name)


def _problems(folder: str, listed: dict[str, str]) -> list[str]:
    """A line for each difference, ``""`` among them for what is right."""
    tops = {name.partition("/")[0] for name in listed if "/" in name}
    left = dict(listed)
    problems = []
    for name, kind in _walk(folder, ""):
        digest = left.pop(name, "")
        if kind != "file":
            problems.append(f"{shown(name)} is {kind}, and a bundle has none; {_AGAIN}")
        elif digest:
            problems.append("" if digest == sha256(os.path.join(folder, name)) else _changed(name))
        elif name != MANIFEST and name not in MARKERS:
            problems.append(_extra(name, tops))
    return problems + [f"{shown(name)} is missing: the bundle was not unpacked as a whole; {_AGAIN}" for name in left]


def _walk(folder: str, below: str) -> list[tuple[str, str]]:
    """(path, ``file`` or what it is otherwise) of everything but real folders."""
    found = []
    with os.scandir(os.path.join(folder, below)) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_symlink():
                found.append((name, "a symbolic link"))
            elif entry.is_dir():
                found += _walk(folder, name + "/")
            else:
                found.append((name, "file" if entry.is_file() else "no ordinary file"))
    return found


def sha256(path: str) -> str:
    """Of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _changed(name: str) -> str:
    return f"{shown(name)} has been changed since the bundle was built; {_AGAIN}"


def _extra(name: str, tops: set[str]) -> str:
    top, slash, _ = name.partition("/")
    bytecode = name.endswith((".pyc", ".pyo")) or "__pycache__" in name.split("/")
    if bytecode or not slash or top not in tops or name.startswith(CLOSED):
        return f"{shown(name)} is not in the bundle; remove it, or {_AGAIN} into an empty folder"
    return ""
