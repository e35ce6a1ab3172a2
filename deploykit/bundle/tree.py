"""The files of a checkout that travel, and those that must not."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import Callable, Iterator, List, Optional, Set, Tuple

from deploykit.bundle.entry import EXECUTABLE, PLAIN, Entry
from deploykit.bundle.ignore import Patterns
from deploykit.errors import Location
from deploykit.model import Finding

_SET_ID = stat.S_ISUID | stat.S_ISGID


@dataclass
class Tree:
    """What was found. entries: sorted by path. others_may_write: files that everybody may write, with their places."""

    entries: List[Entry] = field(default_factory=list)
    findings: List[Finding] = field(default_factory=list)
    others_may_write: List[str] = field(default_factory=list)


def walk(top: str, ignored: Patterns, skip: Set[str], tell: Callable[[str], None], below: str = "") -> Tree:
    """Everything below a folder, but what is ignored. Symbolic links are never followed.

    skip: absolute paths that are left out without a word (the zip that is being written). below: where in the bundle it goes.
    """
    tree = Tree()
    for path, seen in _files(top, below, ignored, skip):
        if len(tree.entries) % 500 == 0:
            tell(f"looking at {path}")
        source = os.path.join(top, path[len(below) :])
        problem = _name(path) or _kind(path, source, seen)
        if problem:
            tree.findings.append(problem)
            continue
        if seen.st_mode & stat.S_IWOTH:
            tree.others_may_write.append(path)
        mode = EXECUTABLE if seen.st_mode & stat.S_IXUSR else PLAIN
        tree.entries.append(Entry(path, mode, source, size=seen.st_size))
    tree.entries.sort(key=lambda entry: entry.path)
    return tree


def _files(top: str, below: str, ignored: Patterns, skip: Set[str]) -> Iterator[Tuple[str, os.stat_result]]:
    with os.scandir(os.path.join(top, "")) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = below + entry.name
        folder = entry.is_dir(follow_symlinks=False)
        # A name that is no UTF-8 cannot be matched; it is refused further on.
        if entry.path in skip or ignored.match(path.encode("utf-8", "replace").decode(), folder):
            continue
        if folder:
            yield from _files(entry.path, path + "/", ignored, skip)
        else:
            yield path, entry.stat(follow_symlinks=False)


def _kind(path: str, source: str, seen: os.stat_result) -> Optional[Finding]:
    at = Location(path)
    if stat.S_ISLNK(seen.st_mode):
        message = f"a symbolic link to {_shown(os.readlink(source))}: it may be lost or followed on its way to the instance"
        hint = f"put the file itself there, make the link in a hook, or write /{path} into .deployignore"
        return Finding("bundle-symlink", "error", message, at, hint)
    if not stat.S_ISREG(seen.st_mode):
        message = "neither a file nor a folder (a socket, a pipe or a device)"
        return Finding("bundle-kind", "error", message, at, f"remove it, or write /{path} into .deployignore")
    if seen.st_mode & _SET_ID:
        which = "set-user-id" if seen.st_mode & stat.S_ISUID else "set-group-id"
        message = f"mode {stat.S_IMODE(seen.st_mode):04o} ({which}): agent 2.x can be told to refuse the whole bundle for that"
        return Finding("bundle-mode", "error", message, at, f"chmod u-s,g-s {path}, and set it on the instance if it must be")
    return None


def _name(path: str) -> Optional[Finding]:
    name = path.rsplit("/", 1)[-1]
    what = ""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        what = "is not UTF-8"
    if any(ord(one) < 32 or ord(one) == 127 for one in path):
        what = "has a line end or another control character"
    elif "\\" in path:
        what = "has a backslash"
    elif any(part != part.strip() for part in path.split("/")):
        what = "begins or ends with a blank"
    if what:
        message = f"the name {_shown(name)} {what}: the agent's list of files, by which it cleans up, breaks at it"
        return Finding("bundle-name", "error", message, Location(_shown(path)), "rename it, or let .deployignore leave it out")
    return None


def modes(tree: Tree) -> Iterator[Finding]:
    """Files that everybody may write. Where all are like that, appspec.yml too, it is the checkout's umask and no decision."""
    if "appspec.yml" in tree.others_may_write:
        message = f"everybody may write {len(tree.others_may_write)} files of this checkout; in the bundle nobody but root may"
        yield Finding("bundle-umask", "info", message, None, "GitLab's runner checks out with umask 0")
        return
    for path in tree.others_may_write:
        message = "everybody may write it: agent 2.x can be told to refuse the whole bundle for that"
        yield Finding("bundle-mode", "error", message, Location(path), f"chmod o-w {path}")


def foreign_names(tree: Tree) -> Iterator[Finding]:
    """Names that some tools on the way write otherwise."""
    found = [entry.path for entry in tree.entries if not entry.path.isascii()]
    if found:
        message = f"{len(found)} names with other than ASCII characters: without a UTF-8 locale some unzip programs change them"
        yield Finding("bundle-ascii", "warning", message, Location(found[0]), "use plain names where you can")


def _shown(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(one if one.isprintable() else "?" for one in clean)
