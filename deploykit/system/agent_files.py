"""What the CodeDeploy agent does to files: unpack, copy, delete, forget. As it does it, mistakes included.

Nothing here is atomic, and nothing is safe against a symbolic link that somebody puts in the way: the agent is neither.
Errors come as ``OSError``, or as ``BadArchiveError`` where there is no zip archive.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from typing import Callable, Iterable, List, Optional, Tuple

UNZIP_SECONDS = 600.0
DISK_FULL = 50  # unzip's exit status
_OURS = 0o777


class BadArchiveError(Exception):
    """What is no zip archive, or one that cannot be read to its end. ``full``: there was no space for it."""

    def __init__(self, message: str, full: bool = False) -> None:
        super().__init__(message)
        self.full = full


def is_zip(path: str) -> bool:
    """Is this file a zip archive?"""
    import zipfile

    return os.path.isfile(path) and zipfile.is_zipfile(path)


def unpack(archive: str, folder: str) -> str:
    """Unpack a zip archive: with unzip, else as the agent falls back, without exec bits and symbolic links.

    Returns a note about the latter, ``""`` otherwise. Raises BadArchiveError.
    """
    from deploykit.system import commands

    os.makedirs(folder, exist_ok=True)
    result = commands.ask(("unzip", "-qo", archive, "-d", folder), UNZIP_SECONDS)
    if result.status == 0:
        return ""
    if result.status == DISK_FULL:
        shutil.rmtree(folder, ignore_errors=True)
        raise BadArchiveError("The disk is (or was) full during extraction.", full=True)
    _unpack_plainly(archive, folder)
    why = "unzip is not installed" if result.status == 127 else f"unzip ended with status {result.status}"
    return f"{why}: unpacked without exec bits and symbolic links, as the agent does then"


def _unpack_plainly(archive: str, folder: str) -> None:
    import zipfile

    try:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadArchiveError(f"Error extracting zip archive: {error}") from None


def copy_folder(source: str, target: str, wanted: Callable[[str], bool]) -> None:
    """Copy a folder as ``cp -r`` does: links stay links, modes lose what the umask takes. wanted: asked with each path."""
    os.makedirs(target)
    with os.scandir(source) as entries:
        found = [entry for entry in entries if wanted(entry.path)]
    for entry in found:
        place = os.path.join(target, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), place)
        elif entry.is_dir():
            copy_folder(entry.path, place, wanted)
        elif entry.is_file():
            _copy_into(entry.path, place, entry.stat().st_mode)


def _copy_into(source: str, place: str, mode: int) -> None:
    """Write into what is there, or make it with this mode less the umask. Raises ETXTBSY for a running program."""
    opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode & _OURS)
    with open(source, "rb") as reader, os.fdopen(opened, "wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


def install(source: str, target: str) -> None:
    """Install's copy: a link becomes a link; a file is written in place, into a folder when that is what is there.

    Mode and times are kept; the owner as far as we may.
    """
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    place = os.path.join(target, os.path.basename(source)) if os.path.isdir(target) else target
    seen = os.stat(source)
    _copy_into(source, place, seen.st_mode)
    os.utime(place, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    mode = stat.S_IMODE(seen.st_mode)
    try:
        os.chown(place, seen.st_uid, seen.st_gid)
    except PermissionError:
        mode &= 0o1777
    os.chmod(place, mode)


def delete(path: str) -> bool:
    """Cleanup's removal: links and files, folders only when they are empty. False when nothing was removed."""
    if os.path.isdir(path) and not os.path.islink(path):
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno != 39:  # ENOTEMPTY: something in it is not ours
                raise
            return False
        return True
    if not os.path.lexists(path):
        return False
    os.remove(path)
    return True


def change_owner(path: str, owner: str, group: str) -> None:
    """Give a file or folder away. Raises LookupError with the agent's words for a name that nobody has."""
    uid, gid = account(owner), group_number(group)
    os.chown(path, -1 if uid is None else uid, -1 if gid is None else gid)


def account(name: str) -> Optional[int]:
    """Number of an account, None for no name. Raises LookupError."""
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid if name else None
    except KeyError:
        raise LookupError(f"can't find user for {name}") from None


def group_number(name: str) -> Optional[int]:
    """Number of a group, None for no name. Raises LookupError."""
    import grp

    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        raise LookupError(f"can't find group for {name}") from None


def forget(folders: Iterable[str]) -> None:
    """Remove whole folders, as ``rm -rf``."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def move(source: str, target: str) -> None:
    """Move a folder to a name that is free."""
    shutil.move(source, target)


def oldest_first(folders: Iterable[str]) -> List[str]:
    """Sorted by the time of their last change."""
    return sorted(folders, key=lambda folder: os.stat(folder).st_mtime_ns)


def make_executable(path: str) -> None:
    """``chmod +x``, for everybody."""
    os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o111)


def md5(path: str) -> str:
    """The digest that S3 calls an ETag."""
    import hashlib

    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def now() -> Tuple[str, str]:
    """The local time, as in scripts.log (to the second) and as in deployments.log (to the millisecond)."""
    import time

    seconds = time.time()
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return text, f"{text}.{int(seconds % 1 * 1000):03d}"


def monotonic() -> float:
    """Seconds of a clock that only goes forward."""
    import time

    return time.monotonic()


def login() -> str:
    """The name of our own account, ``""`` where it has none."""
    import pwd

    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.geteuid()).pw_name
    return ""
