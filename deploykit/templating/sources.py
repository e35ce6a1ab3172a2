"""The files below config_templates/: read once, and never from anywhere else."""

from __future__ import annotations

from typing import Dict, Optional

from deploykit.errors import InvalidInput, Location
from deploykit.system.port import Readable

FOLDER = "config_templates"


class Sources:
    """Reads templates by name, a path below ``config_templates/`` of one bundle; each file is read once."""

    def __init__(self, machine: Readable, bundle: str) -> None:
        self._machine = machine
        self._folder = f"{bundle}/{FOLDER}"
        self._known: Dict[str, Optional[bytes]] = {}

    def raw(self, name: str) -> Optional[bytes]:
        """The bytes of a template, None when it is not there. InvalidInput for ``..``, a symbolic link, a folder."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def text(self, name: str) -> Optional[str]:
        """The text of a template (UTF-8, a byte order mark is dropped, line ends become ``\\n``), None when it is not there."""
        content = self.raw(name)
        if content is None:
            return None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = content.count(b"\n", 0, problem.start) + 1
            raise InvalidInput("this is not UTF-8", at=Location(shown(name), line), hint="save the template as UTF-8") from None
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _read(self, name: str) -> Optional[bytes]:
        parts = name.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\0" in name or "\\" in name:
            raise InvalidInput(f'"{name}" is no path below {FOLDER}/', hint=f"name it from {FOLDER}/ on, without .. and .")
        path, kind = self._folder, ""
        for part in parts:
            path = f"{path}/{part}"
            kind = self._machine.find(path).kind
            if kind == "absent":
                return None
            if kind == "symlink":
                raise InvalidInput(f"{shown(name)} leads through a symbolic link", hint="put the file itself into the bundle")
        if kind != "file":
            raise InvalidInput(f"{shown(name)} is a {kind}, not a file")
        return self._machine.read(path)


def shown(name: str) -> str:
    """A template's path as the user knows it, from the bundle on."""
    return f"{FOLDER}/{name}"
