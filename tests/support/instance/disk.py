"""The folder of a running instance: what it writes, its lock, its cgroups; and what can be told from it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO, Dict, Iterator, Optional, Tuple

from support.instance import cache
from support.instance.missing import cgroup_roots

Seen = Dict[str, Tuple[object, ...]]


class Disk:
    """upper holds what the instance wrote. Whoever holds the lock is alive; a folder that nobody holds is left over."""

    def __init__(self, suite: str, like: Optional[Path] = None) -> None:
        """like: a copy that :meth:`copy` made, to begin with; else the suite's root as it is."""
        running = cache.folder() / "running"
        with cache.locked("running"):
            running.mkdir(exist_ok=True)
            sweep(running)
            self.folder = running / f"{suite}-{uuid.uuid4().hex[:8]}"
            for name in ("", "upper", "merged"):
                (self.folder / name).mkdir()
                (self.folder / name).chmod(0o755)  # the mode of upper is the mode of the instance's /
            self._lock = _hold(self.folder)
        if like:
            _copy(like, self.folder / "upper")

    def copy(self, target: Path) -> None:
        """Keep what the instance has written; it must be down."""
        target.mkdir()
        _copy(self.folder / "upper", target)

    @property
    def name(self) -> str:
        return self.folder.name

    def groups(self) -> Tuple[Path, ...]:
        """The instance's cgroups, made if need be."""
        found = _groups(self.folder)
        for group in found:
            group.mkdir(exist_ok=True)
        return found

    def clear_work(self) -> None:
        """An overlay that was mounted once is mounted again only with a new work folder."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        (self.folder / "work").mkdir()

    def remove(self) -> None:
        with cache.locked("running"):
            _remove(self.folder)
            self._lock.close()

    def console(self) -> str:
        """The last words of the instance's console."""
        log = self.folder / "console.log"
        return log.read_text("utf-8", "replace")[-800:] if log.exists() else ""

    def written(self) -> Seen:
        """Path to inode, mode, size and both times of all that differs from the root; the journal is left out."""
        upper = self.folder / "upper"
        found = {f"/{path.relative_to(upper)}": path.lstat() for path in walk(upper)}
        return {
            name: (seen.st_ino, seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
            for name, seen in found.items()
            if not name.startswith("/var/log/journal")
        }


def files(root: Path, folders: Tuple[str, ...]) -> Seen:
    """Path to mode, owner, group, time of change and content (a digest, or a link's target) of all below these folders."""
    found: Seen = {}
    for path in (path for folder in folders for path in walk(root / folder.lstrip("/"))):
        seen = path.lstat()
        times = 0 if stat.S_ISDIR(seen.st_mode) else seen.st_mtime_ns
        found[f"/{path.relative_to(root)}"] = (oct(seen.st_mode), seen.st_uid, seen.st_gid, times, _content(path, seen.st_mode))
    return found


def walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder; symbolic links are not followed."""
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield Path(where, name)


def _copy(source: Path, target: Path) -> None:
    """With all that an overlay needs: devices that stand for removed files, and extended attributes."""
    subprocess.run(["cp", "-a", "--reflink=auto", f"{source}/.", str(target)], check=True)


def sweep(running: Path) -> None:
    """Remove what test runs that were killed have left."""
    for folder in running.iterdir():
        with suppress(BlockingIOError):
            _hold(folder).close()
            _remove(folder)


def _hold(folder: Path) -> IO[str]:
    lock = open(folder / "lock", "w", encoding="ascii")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        lock.close()
        raise
    return lock


def _remove(folder: Path) -> None:
    for group in _groups(folder):
        _remove_group(group)
    shutil.rmtree(folder, ignore_errors=True)


def _groups(folder: Path) -> Tuple[Path, ...]:
    return tuple(root / f"deploykit-{folder.name}" for root in cgroup_roots())


def _remove_group(group: Path) -> None:
    """It can go when the last of its dead processes has been reaped, which may take a moment."""
    until = time.monotonic() + 5
    while group.exists():
        for where, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                os.rmdir(where)
        if time.monotonic() > until:
            raise RuntimeError(f"{group} is still in use")
        time.sleep(0.01)


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return os.readlink(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if stat.S_ISREG(mode) else ""
