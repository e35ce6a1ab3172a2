"""Files and folders: looked at without following links, changed only below allowed roots.

A change opens the parent folder step by step from its root, refusing symbolic links on the way, and then works
relative to that descriptor: a folder that is swapped for a link in between is not followed.
"""

from __future__ import annotations

import errno
import functools
import os
import stat
from typing import Any, Callable, Dict, Iterable, List, Tuple, TypeVar

from deploykit import places
from deploykit.errors import Refused
from deploykit.model import Found

Change = TypeVar("Change", bound=Callable[..., None])

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_KINDS = {stat.S_IFREG: "file", stat.S_IFLNK: "symlink", stat.S_IFDIR: "folder"}


def find(path: str) -> Found:
    """What lies at ``path``; kind ``absent`` when nothing does (a parent that is no folder counts as nothing)."""
    try:
        seen = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Found(path)
    kind = _KINDS.get(stat.S_IFMT(seen.st_mode), "other")
    return Found(
        path,
        kind,
        stat.S_IMODE(seen.st_mode),
        seen.st_uid,
        seen.st_gid,
        seen.st_size,
        seen.st_mtime_ns,
        seen.st_ctime_ns,
        seen.st_ino,
        seen.st_dev,
        os.readlink(path) if kind == "symlink" else "",
    )


def read(path: str) -> bytes:
    """All bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def names(folder: str) -> Tuple[str, ...]:
    """Names in a folder, sorted; ``()`` when it is not there."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return ()


def free_space(folder: str) -> Tuple[int, int]:
    """Free (bytes, inodes) for us at the nearest parent that exists. File systems without inode counts say 2**62."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    seen = os.statvfs(folder)
    return seen.f_bavail * seen.f_frsize, seen.f_favail if seen.f_files else 2**62


def _naming(change: Change) -> Change:
    """What fails relative to an open folder names a bare name: put the whole path into the error, for whoever reads it."""

    @functools.wraps(change)
    def wrapped(self: WritableFiles, path: str, *more: Any, **named: Any) -> None:
        try:
            change(self, path, *more, **named)
        except OSError as error:
            if not str(error.filename or "").startswith("/"):
                error.filename = path
            raise

    return wrapped  # type: ignore[return-value]


class WritableFiles:
    """The changing half. ``allow`` names the roots; everything else is refused."""

    def __init__(self) -> None:
        self._roots: List[str] = []
        self._open: Dict[str, int] = {}

    def allow(self, roots: Iterable[str]) -> None:
        for root in roots:
            if root not in self._roots:
                self._roots.append(root)

    @_naming
    def make_folder(self, path: str, mode: int, uid: int, gid: int) -> None:
        parent, name = self._parent(path, making=True)
        os.mkdir(name, 0o700, dir_fd=parent)
        opened = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        try:
            _own(opened, mode, uid, gid)
        finally:
            os.close(opened)

    @_naming
    def remove_folder(self, path: str) -> None:
        parent, name = self._parent(path, making=True)
        known = self._open.pop(path, None)
        if known is not None:
            os.close(known)
        os.rmdir(name, dir_fd=parent)

    @_naming
    def write_new(self, path: str, content: bytes, mode: int, uid: int, gid: int, label_of: str = "") -> None:
        parent, name = self._parent(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            _write_all(opened, content)
            _own(opened, mode, uid, gid)
            if label_of:
                _copy_label(label_of, opened)
        except BaseException:
            os.unlink(name, dir_fd=parent)
            raise
        finally:
            os.close(opened)

    @_naming
    def rename(self, source: str, target: str) -> None:
        source_parent, source_name = self._parent(source)
        target_parent, target_name = self._parent(target)
        os.rename(source_name, target_name, src_dir_fd=source_parent, dst_dir_fd=target_parent)

    @_naming
    def remove(self, path: str) -> None:
        parent, name = self._parent(path)
        os.unlink(name, dir_fd=parent)

    @_naming
    def link(self, path: str, second: str) -> None:
        parent, name = self._parent(path)
        second_parent, second_name = self._parent(second)
        try:
            os.link(name, second_name, src_dir_fd=parent, dst_dir_fd=second_parent, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
                raise
            self.copy(path, second)

    def move(self, path: str, target: str) -> None:
        try:
            self.rename(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            if find(target).there:  # a copy that was cut off
                self.remove(target)
            self.copy(path, target)
            self.remove(path)

    @_naming
    def append(self, path: str, line: bytes) -> None:
        parent, name = self._parent(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            _write_all(opened, line)
            os.fsync(opened)
        finally:
            os.close(opened)

    def sync(self, folders: Iterable[str]) -> None:
        by_device = {os.stat(folder).st_dev: folder for folder in folders if os.path.isdir(folder)}
        for folder in by_device.values():
            _sync_file_system(folder)

    @_naming
    def copy(self, path: str, second: str) -> None:
        source_parent, source = self._parent(path)
        seen = os.stat(source, dir_fd=source_parent, follow_symlinks=False)
        parent, name = self._parent(second)
        if stat.S_ISLNK(seen.st_mode):
            os.symlink(os.readlink(source, dir_fd=source_parent), name, dir_fd=parent)
            if os.geteuid() == 0:
                os.chown(name, seen.st_uid, seen.st_gid, dir_fd=parent, follow_symlinks=False)
        else:
            content, mode = _read_at(source_parent, source), stat.S_IMODE(seen.st_mode)
            self.write_new(second, content, mode, seen.st_uid, seen.st_gid, label_of=path)
        os.utime(name, ns=(seen.st_atime_ns, seen.st_mtime_ns), dir_fd=parent, follow_symlinks=False)

    def _parent(self, path: str, making: bool = False) -> Tuple[int, str]:
        folder, name = os.path.split(path)
        if not path.startswith("/") or not name or {".", ".."} & set(path.split("/")):
            raise Refused(f"{path!r} names no file")
        if not self._permits(path, making):
            raise Refused(
                f"{path} is outside the folders that may be written",
                hint="add the folder to writable: in deploykit.yml if it is really meant",
            )
        if folder not in self._open:
            self._open[folder] = self._open_folder(folder)
        return self._open[folder], name

    def _permits(self, path: str, making: bool) -> bool:
        """Below a root; a folder above one, to make or remove it; a new file that waits beside a root that is a single file."""
        if _inside(path, self._roots) or (making and any(root.startswith(path + "/") for root in self._roots)):
            return True
        folder, name = os.path.split(path)
        beside = [root for root in self._roots if os.path.dirname(root) == folder and not os.path.isdir(root)]
        return bool(beside) and name.startswith(places.TEMPORARY)

    def _open_folder(self, folder: str) -> int:
        root = _inside(folder, self._roots)
        return _open_below(root, folder[len(root) :].strip("/")) if root else os.open(folder, _FOLDER)


def _inside(path: str, roots: Iterable[str]) -> str:
    """The innermost root that holds ``path`` or is it, ``""`` for none."""
    return max((root for root in roots if path == root or path.startswith(root + "/")), key=len, default="")


def _open_below(root: str, rest: str) -> int:
    here = os.open(root, _FOLDER)
    for part in filter(None, rest.split("/")):
        above = here
        try:
            here = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                message = f"{root}/{rest}: {part} is a symbolic link or no folder; files are not written through it"
                raise Refused(message, hint="declare the folder it points to under writable: and write there") from None
            raise
        finally:
            os.close(above)
    return here


def _own(opened: int, mode: int, uid: int, gid: int) -> None:
    seen = os.fstat(opened)
    if (seen.st_uid, seen.st_gid) != (uid, gid):  # in a set-group-id folder the group is not our own
        os.fchown(opened, uid, gid)
    os.fchmod(opened, mode)  # after the owner: chown drops set-id bits


def _read_at(parent: int, name: str) -> bytes:
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent), "rb") as file:
        return file.read()


def _write_all(opened: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(opened, rest) :]


def _copy_label(source: str, opened: int) -> None:
    """SELinux: what replaces a file keeps its label; a new file has got its folder's from the kernel."""
    try:
        label = os.getxattr(source, "security.selinux", follow_symlinks=False)
        os.setxattr(opened, "security.selinux", label)
    except OSError:
        return  # no SELinux here, or no right to set labels: the kernel's default stands


def _sync_file_system(folder: str) -> None:
    import ctypes

    opened = os.open(folder, _FOLDER)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syncfs(opened) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), folder)
    finally:
        os.close(opened)
