"""What Install will do, in the order in which it will do it: decided as a whole before the first file is copied.

By then the former deployment's files are gone already.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Tuple

from deploykit.appspec.spec import Appspec, FileCopy
from deploykit.simulator.model import EventFailed

Place = Callable[[str], str]
Remember = Callable[[str], object]


@dataclass(frozen=True)
class Instruction:
    """One step. kind: ``mkdir copy chmod chown setfacl semanage``. path: on this machine. value: the octal digits, or owner and
    group with a colon between them; source: of a copy."""

    kind: str
    path: str
    source: str = ""
    value: str = ""


@dataclass
class Builder:
    """The instructions so far. copies: target to source."""

    place: Place
    steps: List[Instruction] = field(default_factory=list)
    copies: Dict[str, str] = field(default_factory=dict)
    folders: Dict[str, None] = field(default_factory=dict)
    permitted: Dict[str, None] = field(default_factory=dict)

    def copy(self, source: str, target: str) -> None:
        """Raises EventFailed for a target that something else goes to already."""
        if target in self.copies:
            raise EventFailed(
                "The deployment failed because the application specification file specifies two source files named "
                f"{source} and {self.copies[target]} for the same destination ({target}). Remove one of the source file paths "
                "from the AppSpec file, and then try again."
            )
        if target in self.folders:
            raise EventFailed(
                f"The deployment failed because the application specification file calls for installing the file {source}, but "
                f"a file with that name already exists at the location ({target}). Update your AppSpec file or directory "
                "structure, and then try again."
            )
        self.copies[target] = source
        self.steps.append(Instruction("copy", target, source))

    def folder(self, target: str) -> None:
        """Raises EventFailed where a file goes. A folder that is asked for twice is made once."""
        if target in self.copies:
            raise EventFailed(
                "The deployment failed because the application specification file includes an mkdir command more than once for "
                f"the same destination path ({target}) from ({self.copies[target]}). Update the files section of the AppSpec "
                "file, and then try again."
            )
        if target not in self.folders:
            self.folders[target] = None
            self.steps.append(Instruction("mkdir", target))


def build(spec: Appspec, archive: str, behaviour: str, place: Place) -> Builder:
    """The copies for ``files:``. place: from a path of the appspec to the one on this machine. Raises EventFailed."""
    builder = Builder(place)
    for entry in spec.files:
        _add(entry, archive, spec.file_exists_behavior or behaviour, builder)
    return builder


def _add(entry: FileCopy, archive: str, behaviour: str, builder: Builder) -> None:
    source = os.path.normpath(f"{archive}/{entry.source}")
    target = builder.place(entry.destination)
    if os.path.isdir(source):
        _ancestors(target, builder)
        _tree(source, target, behaviour, builder)
    else:
        # A file lands in the destination, whatever that is called.
        target = f"{target}/{os.path.basename(source)}"
        _ancestors(target, builder)
        _file(source, target, behaviour, builder)


def _ancestors(target: str, builder: Builder) -> None:
    missing: List[str] = []
    parent = os.path.dirname(target)
    while not os.path.exists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    for folder in reversed(missing):
        builder.folder(folder)


def _tree(source: str, target: str, behaviour: str, builder: Builder) -> None:
    """A folder and all below it. A link to a folder counts as a folder; nothing tells the modes of folders."""
    if not os.path.isdir(target):
        builder.folder(target)
    for name in sorted(os.listdir(source)):
        inner, place = f"{source}/{name}", f"{target}/{name}"
        if os.path.isdir(inner):
            _tree(inner, place, behaviour, builder)
        else:
            _file(inner, place, behaviour, builder)


def _file(source: str, target: str, behaviour: str, builder: Builder) -> None:
    if os.path.exists(target) and behaviour == "DISALLOW":
        raise EventFailed(
            f"The deployment failed because a specified file already exists at this location: {target}",
        )
    if not os.path.exists(target) or behaviour == "OVERWRITE":
        builder.copy(source, target)


def document(steps: List[Instruction]) -> List[Dict[str, str]]:
    """The instructions for <group id>-install.json."""
    return [_row(step) for step in steps]


def _row(step: Instruction) -> Dict[str, str]:
    keys: Dict[str, Tuple[str, ...]] = {"copy": ("source", "destination"), "mkdir": ("directory",)}
    names = keys.get(step.kind, ("file", "value"))
    values = {"source": step.source, "destination": step.path, "directory": step.path, "file": step.path, "value": step.value}
    return {"type": step.kind, **{name: values[name] for name in names}}
