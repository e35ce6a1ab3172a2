"""A file tree in memory, in the shape in which the parsers are handed one.

A parser asks two things of a tree: ``read(path)`` and ``glob(pattern)``. A rendered candidate that exists nowhere yet
answers them with this class; a live tree answers them with functions of the machine.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import Dict, Iterable, List, Mapping, Sequence, Set, Tuple

MAGIC = re.compile(r"[*?\[]")


class Tree:
    """Files by absolute path. ``folders`` are those that exist though no file of the tree lies in them."""

    def __init__(self, files: Mapping[str, bytes], folders: Iterable[str] = ()) -> None:
        self._files: Dict[str, bytes] = dict(files)
        self._names: Dict[str, Set[str]] = {"": set()}
        for path in self._files:
            self._add(path)
        for folder in folders:
            self._names.setdefault(folder.rstrip("/"), set())
            self._add(folder.rstrip("/"))

    def _add(self, path: str) -> None:
        while path:
            folder, _, name = path.rpartition("/")
            self._names.setdefault(folder, set()).add(name)
            path = folder

    def read(self, path: str) -> bytes:
        """All bytes of a file; FileNotFoundError or IsADirectoryError as a file system would raise."""
        found = self._files.get(path)
        if found is not None:
            return found
        if path.rstrip("/") in self._names:
            raise IsADirectoryError(21, "Is a directory", path)
        raise FileNotFoundError(2, "No such file or directory", path)

    def glob(self, pattern: str) -> Sequence[str]:
        """Files (no folders) that match, in the order of their bytes, as glob(3) gives them to both services.

        ``*`` takes no leading dot. FileNotFoundError when the folder that is to be searched does not exist.
        """
        parts = pattern.strip("/").split("/")
        fixed = _fixed(parts)
        if len(fixed) < len(parts) and _joined(fixed) not in self._names:
            raise FileNotFoundError(2, "No such file or directory", _joined(fixed))
        found = [_joined(fixed)]
        for part in parts[len(fixed) :]:
            found = [f"{folder}/{name}" for folder in found for name in self._matching(folder, part)]
        return sorted(path for path in found if path in self._files)

    def _matching(self, folder: str, part: str) -> List[str]:
        wanted = _segment(part)
        hidden = part.startswith(".")
        return [n for n in self._names.get(folder, ()) if (hidden or not n.startswith(".")) and wanted.match(n)]


def _fixed(parts: Sequence[str]) -> Tuple[str, ...]:
    """The leading parts of a pattern that are plain names."""
    fixed: List[str] = []
    for part in parts:
        if MAGIC.search(part):
            break
        fixed.append(part)
    return tuple(fixed)


def _joined(parts: Sequence[str]) -> str:
    return "".join(f"/{part}" for part in parts if part)


def _segment(part: str) -> re.Pattern[str]:
    return re.compile(translate(part.replace("[^", "[!")))
