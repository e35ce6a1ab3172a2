"""From wheels to ``vendor/``: pure Python once for all targets, machine code once for each kind of machine."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from hashlib import sha256
from typing import Dict, List, Mapping, Sequence, Tuple

from deploykit.bundle.entry import Entry, made
from deploykit.bundle.lock import Target
from deploykit.bundle.wheels import Wheel
from deploykit.errors import Refused

# Their machine code is only a faster way to do the same, made anew for each minor version of Python: 9 MB for nothing.
FASTER_ONLY = frozenset({"markupsafe", "pyyaml"})
# Parts for other operating systems, which are asked for there only.
_ELSEWHERE = {"psutil": ("_psaix.py", "_psbsd.py", "_psosx.py", "_pssunos.py", "_pswindows.py")}
_NOT_RUN = (".pyi", ".pyx", ".pxd", ".c", ".h", "/py.typed")
_LICENCES = ("license", "licence", "copying", "notice", "authors")
_MACHINE_CODE = (".so", ".abi3.so")


@dataclass(frozen=True)
class Library:
    """What became of one library. wheels: those that files were taken from. metadata: text of its METADATA.

    licence: text of its licence files. native: does it lie in a folder for each kind of machine?
    """

    name: str
    version: str
    wheels: Tuple[Wheel, ...]
    metadata: str
    licence: str
    native: bool
    entries: Tuple[Entry, ...]


def build(wheels: Mapping[Target, Sequence[Wheel]]) -> Tuple[Library, ...]:
    """Every library, in the order of the wheels. Raises Refused when targets differ in what must be the same everywhere."""
    first = next(iter(wheels))
    return tuple(
        _library({target: of_target[place] for target, of_target in wheels.items()}) for place in range(len(wheels[first]))
    )


def _library(wheels: Mapping[Target, Wheel]) -> Library:
    contents = {target: _content(wheel) for target, wheel in wheels.items()}
    first = next(iter(wheels))
    _same({target: _pure(content) for target, content in contents.items()}, wheels[first])
    name, content = wheels[first].name, contents[first]
    native = name not in FASTER_ONLY and any(path.endswith(_MACHINE_CODE) for path in content)
    entries: List[Entry] = []
    used: Dict[str, Wheel] = {}
    if native:
        for target in wheels:
            used.setdefault(target.machine, wheels[target])
            _same({t: contents[t] for t in wheels if t.machine == target.machine}, wheels[target])
        for target, wheel in wheels.items():
            if used[target.machine] == wheel and not any(e.path.startswith(f"vendor/{target.machine}/") for e in entries):
                entries += _entries(f"vendor/{target.machine}", contents[target])
    else:
        used["lib"] = wheels[first]
        entries += _entries("vendor/lib", _pure(content))
    return Library(
        name, wheels[first].version, tuple(used.values()), _metadata(content), _licence(content), native, tuple(entries)
    )


def _content(wheel: Wheel) -> Dict[str, bytes]:
    """The files of a wheel that are run or must go with it."""
    with zipfile.ZipFile(wheel.path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir() and _travels(wheel.name, info.filename)]
        return {name: archive.read(name) for name in names}


def _travels(library: str, path: str) -> bool:
    folder, _, name = path.rpartition("/")
    top = path.partition("/")[0]
    if top.endswith(".dist-info"):
        return name == "METADATA" or name.lower().startswith(_LICENCES)
    if top.endswith(".data") or path.endswith(_NOT_RUN) or "tests" in folder.split("/"):
        return False
    return name not in _ELSEWHERE.get(library, ())


def _pure(content: Mapping[str, bytes]) -> Dict[str, bytes]:
    return {path: text for path, text in content.items() if not path.endswith(_MACHINE_CODE)}


def _same(contents: Mapping[Target, Mapping[str, bytes]], wheel: Wheel) -> None:
    """All these targets get the same files, or it is refused: one tree has to serve them all."""
    first = next(iter(contents))
    for target, content in contents.items():
        for path in sorted({*contents[first], *content}):
            if contents[first].get(path) != content.get(path):
                message = f"{wheel.name} {wheel.version}: {path} differs between {first} and {target}"
                raise Refused(message, hint="one bundle cannot serve both; lock another version")


def _entries(folder: str, content: Mapping[str, bytes]) -> List[Entry]:
    return [made(f"{folder}/{path}", text) for path, text in sorted(content.items())]


def _metadata(content: Mapping[str, bytes]) -> str:
    return next((text.decode("utf-8") for path, text in content.items() if path.endswith(".dist-info/METADATA")), "")


def _licence(content: Mapping[str, bytes]) -> str:
    texts = [text for path, text in sorted(content.items()) if ".dist-info/" in path and not path.endswith("/METADATA")]
    return "\n".join(text.decode("utf-8", "replace") for text in texts)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return sha256(content).hexdigest()
