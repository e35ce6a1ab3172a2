"""Folders as a trial needs them: copies, and skeletons without the files."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from typing import Callable, Collection, Deque, List, Tuple

from deploykit.errors import Refused

MOST_FOLDERS = 2000  # in one skeleton
MOST_BYTES = 256 << 20  # in one copy


def below(path: str, folder: str) -> bool:
    """Is ``path`` this folder, or in it?"""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def mounted() -> Tuple[str, ...]:
    """All mount points that this process sees; ``()`` when the kernel does not say."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
            return tuple(_unescaped(line.split(" ", 5)[4]) for line in stream)
    except OSError:
        return ()


def refuse_links(path: str) -> None:
    """Refused when ``path`` or a folder above it is a symbolic link: what is behind it is not covered."""
    while path != "/":
        if os.path.islink(path):
            raise link_refusal(path, os.readlink(path))
        path = os.path.dirname(path)


def link_refusal(path: str, link: str) -> Refused:
    """The error for a folder that is a symbolic link."""
    return Refused(
        f"{path} is a symbolic link to {link}: what lies behind it is not written",
        hint=f"name the folder itself ({link}) as destination, or replace the link by a folder",
    )


def own(number: int, uid: int, gid: int) -> None:
    """Give an open file or folder to an account; without the right to do so it stays ours."""
    with contextlib.suppress(OSError):
        os.fchown(number, uid, gid)


def make_like(original: os.stat_result, place: str) -> None:
    """Owner and mode of ``original`` for the folder ``place``, as far as we may."""
    with contextlib.suppress(OSError):  # a plain user: not ours to give, or no such number in our namespace
        os.chown(place, original.st_uid, original.st_gid)
    os.chmod(place, stat.S_IMODE(original.st_mode))


def skeleton(live: str, place: str, closed: Collection[str], note: Callable[[str], None]) -> None:
    """Make the folders below ``live`` below ``place``, with owner and mode, without any file.

    A symbolic link to a folder becomes a folder: writes by it must not reach the live machine. Folders in ``closed`` and
    other file systems are made but not looked into, and those in a folder like /tmp neither: what anybody may make there
    is no part of a configuration. The nearest folders come first; there is an end, with a note.
    """
    top = os.stat(live)
    make_like(top, place)
    waiting: Deque[str] = deque([""])
    made = 0
    while waiting:
        inside = waiting.popleft()
        for name, found, real in _folders_in(live + inside):
            made += 1
            if made > MOST_FOLDERS:
                note(f"{live} has more than {MOST_FOLDERS} folders: the deeper ones were missing in the trial")
                return
            path = f"{inside}/{name}"
            os.mkdir(place + path)
            make_like(found, place + path)
            if real and found.st_dev == top.st_dev and not top.st_mode & stat.S_ISVTX and live + path not in closed:
                waiting.append(path)


def copy(live: str, place: str, note: Callable[[str], None]) -> None:
    """Copy a folder into the empty folder ``place``: files, folders and links, owners and modes as far as we may.

    What we may not read is left out with a note; sockets and devices are left out. OSError (EFBIG) for too much.
    """
    _copy(live, place, note, [MOST_BYTES])


def _copy(live: str, place: str, note: Callable[[str], None], room: List[int]) -> None:
    try:
        entries = list(os.scandir(live))
    except PermissionError:
        note(f"{live} is not readable for this user: it was empty in the trial")
        return
    for entry in entries:
        target = f"{place}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir():
            os.mkdir(target)
            _copy(entry.path, target, note, room)
        elif entry.is_file():
            _copy_file(entry, target, note, room)
    make_like(os.stat(live), place)


def _copy_file(entry: os.DirEntry[str], target: str, note: Callable[[str], None], room: List[int]) -> None:
    found = entry.stat()
    room[0] -= found.st_size
    if room[0] < 0:
        raise OSError(27, "more than 256 MiB to copy", entry.path)
    try:
        with open(entry.path, "rb") as source, open(target, "xb") as sink:
            sink.write(source.read())
            own(sink.fileno(), found.st_uid, found.st_gid)
            os.fchmod(sink.fileno(), stat.S_IMODE(found.st_mode))
    except PermissionError:
        note(f"{entry.path} is not readable for this user: it was missing in the trial")


def _folders_in(folder: str) -> List[Tuple[str, os.stat_result, bool]]:
    """Name, status, and whether it is a folder itself (not a link to one) of each folder in ``folder``."""
    found: List[Tuple[str, os.stat_result, bool]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.is_dir():
                        found.append((entry.name, entry.stat(), not entry.is_symlink()))
                except OSError:
                    continue  # a link that leads nowhere, a file system of somebody else's
    except OSError:
        return []
    return found


def _unescaped(name: str) -> str:
    for code, mark in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        name = name.replace(code, mark)
    return name
