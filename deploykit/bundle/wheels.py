"""Wheels: fetched once by pip into a cache folder, and compared with the lock each time they are used."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache as once
from typing import Callable, Dict, List, Sequence, Tuple

from deploykit.bundle.lock import Locked, Target
from deploykit.bundle.verify import sha256
from deploykit.errors import Failed, ToolMissing
from deploykit.system import commands

# glibc 2.17 and older: Amazon Linux 2 and everything since. pip takes what is named, not what is compatible with it.
_TAGS = {
    "x86_64": ("manylinux2014", "manylinux_2_17", "manylinux2010", "manylinux_2_12", "manylinux1", "manylinux_2_5"),
    "aarch64": ("manylinux2014", "manylinux_2_17"),
}
_SECONDS = 300.0
_LAST_LINES = 3


@dataclass(frozen=True)
class Wheel:
    """A wheel on this disk whose SHA-256 is in the lock."""

    name: str
    version: str
    path: str
    sha256: str


def fetch(
    libraries: Sequence[Locked], targets: Sequence[Target], cache: str, tell: Callable[[str], None]
) -> Dict[Target, Tuple[Wheel, ...]]:
    """The wheels of every target, in the order of ``libraries``; what is not in the cache is downloaded by pip.

    cache: a folder; it is made. Raises Failed with pip's words when a wheel cannot be had, ToolMissing without pip.
    """
    found: Dict[Target, Tuple[Wheel, ...]] = {}
    for target in targets:
        folder = os.path.join(cache, f"{target.machine}-{target.python}")
        if not _complete(libraries, folder):
            tell(f"fetching libraries for {target}")
            _download(libraries, target, folder)
        wheels = _wheels(libraries, folder)
        for library in libraries:
            if library.name not in wheels:
                message = f"no wheel of {library.name} {library.version} for {target} has a hash that is in the lock"
                raise Failed(message, hint=f"empty {folder} and try again; if it stays like that, run make lock")
        found[target] = tuple(wheels[library.name] for library in libraries)
    return found


def _complete(libraries: Sequence[Locked], folder: str) -> bool:
    return len(_wheels(libraries, folder)) == len(libraries)


def _wheels(libraries: Sequence[Locked], folder: str) -> Dict[str, Wheel]:
    """The good wheels of a folder by name; files with another hash than the locked ones do not count."""
    wanted = {library.name: library for library in libraries}
    found: Dict[str, Wheel] = {}
    for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        name, version = named(file)
        path = os.path.join(folder, file)
        if name in wanted and version == wanted[name].version and sha256(path) in wanted[name].hashes:
            found[name] = Wheel(name, version, path, sha256(path))
    return found


def named(file: str) -> Tuple[str, str]:
    """(Normalised name, version) of a wheel's file name; ``("", "")`` for another file."""
    parts = file.split("-")
    if not file.endswith(".whl") or len(parts) < 5:
        return "", ""
    return parts[0].lower().replace("_", "-").replace(".", "-"), parts[1]


def _download(libraries: Sequence[Locked], target: Target, folder: str) -> None:
    """Fetch into a folder beside, then move: another build may be reading the cache."""
    fresh = f"{folder}.{os.getpid()}"
    os.makedirs(fresh, exist_ok=True)
    os.makedirs(folder, exist_ok=True)
    requirements = os.path.join(folder, f"requirements-{os.getpid()}.txt")
    with open(requirements, "w", encoding="utf-8") as file:
        for one in libraries:
            file.write(" ".join([f"{one.name}=={one.version}", *(f"--hash=sha256:{h}" for h in sorted(one.hashes))]) + "\n")
    try:
        pip(target, fresh, ("--require-hashes", "-r", requirements))
    finally:
        for name in os.listdir(fresh):
            os.replace(os.path.join(fresh, name), os.path.join(folder, name))
        os.rmdir(fresh)
        os.unlink(requirements)


def pip(target: Target, folder: str, more: Sequence[str]) -> None:
    """Let pip download wheels for a target, never source archives. Raises Failed with the last lines that it said."""
    platforms = [f"--platform={tag}_{target.machine}" for tag in _TAGS[target.machine]]
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--only-binary=:all:", "--implementation=cp"]
    words = [_python(), "-I", "-m", "pip", "download", *options, f"--python-version={target.python}", *platforms]
    told = commands.ask([*words, f"--dest={folder}", *more], _SECONDS)
    if told.status != 0:
        lines = [line for line in told.output.splitlines() if line.strip() and not line.startswith("WARNING")]
        why = " / ".join(lines[-_LAST_LINES:]) or f"exit status {told.status}"
        hint = "look at the network and at pip's configuration"
        raise Failed(f"pip cannot fetch the libraries for {target}: {why}", hint=hint)


@once
def _python() -> str:
    """A Python that has pip: ours, the checkout's, or the first in PATH."""
    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    candidates: List[str] = [sys.executable, os.path.join(checkout, ".venv", "bin", "python"), "python3"]
    for python in candidates:
        if python and commands.ask((python, "-I", "-m", "pip", "--version"), _SECONDS).status == 0:
            return python
    raise ToolMissing("pip is needed to fetch the libraries", hint="install pip, or name a --cache that holds them already")
