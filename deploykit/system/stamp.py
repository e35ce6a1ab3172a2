"""The stamp: everything that made the last proof true, so that a run that finds it unchanged can stop at once.

A stamp is a text of sections. ``request`` and ``inputs`` tell what was asked and from which files it was made (by
content: every deployment is unpacked into a new folder). One section a service tells what is live: every name below its
configuration folders with inode, owner, mode, size and times (a file cannot change without its change time), its
program, and its master process. A run that observes the same text again knows that files *and* processes are as proved.

This module is on the path of a run that changes nothing, which costs little more than starting Python: it imports
nothing that takes time (no typing, re, json or dataclasses).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib

FORMAT = "deploykit stamp 1"


class Watch:
    """Where to look. inputs: files read besides the bundle's own. services: rows of (name, pid file, program, folders...)."""

    __slots__ = ("inputs", "services")

    def __init__(self, inputs: tuple[str, ...], services: tuple[tuple[str, ...], ...]) -> None:
        self.inputs = inputs
        self.services = services


def observe_request(argv: list[str], environment: dict[str, str]) -> str:
    """What was asked: arguments, the agent's variables that choose variables, and facts of the machine that templates see."""
    chosen = [f"{name}={environment.get(name, '')}" for name in ("APPLICATION_NAME", "DEPLOYMENT_GROUP_NAME")]
    machine = [os.uname().nodename, str(os.cpu_count()), str(os.geteuid()), _memory()]
    words = _new_digest()
    words.update(repr(_without_bundle(argv)).encode("utf-8", "surrogateescape"))  # there may be secrets among them
    return _lines(["argv " + words.hexdigest(), *chosen, *machine])


def _without_bundle(argv: list[str]) -> list[str]:
    """Where the bundle lies is nothing that was asked for: every deployment's lies elsewhere, and its content counts."""
    kept = []
    for index, word in enumerate(argv):
        if word.startswith("--bundle=") or word == "--bundle" or (index and argv[index - 1] == "--bundle"):
            continue
        kept.append(word)
    return kept


def observe_inputs(bundle: str, package: str, watch: Watch) -> str:
    """One digest of deploykit.yml, config_templates/, further inputs and deploykit itself; the bundle may move."""
    digest = _new_digest()
    for root in (bundle + "/deploykit.yml", bundle + "/config_templates", package):
        for path in _files(root):
            _add(digest, path[len(root) :], path)
    for path in watch.inputs:
        _add(digest, path, path if path.startswith("/") else f"{bundle}/{path}")
    return digest.hexdigest() + "\n"


def observe_service(row: tuple[str, ...]) -> str:
    """One service's files, program and master process."""
    _, pid_file, program, *folders = row
    lines = [_program(program), _master(pid_file)]
    for folder in folders:
        _list_tree(folder, lines)
    return _lines(lines)


def dump(watch: Watch, sections: dict[str, str]) -> str:
    """The stamp's text; the watch rows come first, so that the next run knows where to look."""
    head = [FORMAT, *("input\t" + path for path in watch.inputs), *("service\t" + "\t".join(row) for row in watch.services)]
    return "\n".join(head) + "\n" + "".join(f"[{name}]\n{body}" for name, body in sections.items())


def read(path: str) -> tuple[Watch, dict[str, str]] | None:
    """A stamp that this deploykit wrote, else None: no stamp is always right, it only costs time."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    except OSError:
        return None
    head, *rest = text.split("\n[")
    kind, *rows = head.split("\n")
    if kind != FORMAT:
        return None
    parts = [row.split("\t") for row in rows]
    inputs = tuple(part[1] for part in parts if part[0] == "input")
    services = tuple(tuple(part[1:]) for part in parts if part[0] == "service")
    # Only the last section keeps its final newline in the split.
    bodies = (body if index == len(rest) - 1 else body + "\n" for index, body in enumerate(rest))
    sections = {}
    for body in bodies:
        name, _, lines = body.partition("]\n")
        sections[name] = lines
    return Watch(inputs, services), sections


def unchanged_services(stamp: tuple[Watch, dict[str, str]] | None) -> tuple[str, ...]:
    """Names of the services whose files and processes are exactly as they were proved."""
    if stamp is None:
        return ()
    watch, sections = stamp
    return tuple(row[0] for row in watch.services if sections.get(row[0]) == observe_service(row))


def holds(path: str, argv: list[str], environment: dict[str, str], bundle: str, package: str) -> bool:
    """Is everything as it was when ``argv`` was last proved? Cheapest questions first."""
    stamp = read(path)
    if stamp is None:
        return False
    watch, sections = stamp
    return (
        sections.get("request") == observe_request(argv, environment)
        and sections.get("inputs") == observe_inputs(bundle, package, watch)
        and len(watch.services) > 0
        and len(unchanged_services(stamp)) == len(watch.services)
    )


def _lines(lines: list[str]) -> str:
    # A name can hold a newline; "[" at the start of a line would begin a section.
    return "".join(line.replace("\n", "\\n") + "\n" for line in lines)


def _new_digest() -> hashlib.blake2b:
    try:
        from _blake2 import blake2b  # what hashlib.blake2b is, without hashlib's own 3 ms
    except ImportError:
        from hashlib import blake2b
    return blake2b(digest_size=20)


def _add(digest: hashlib.blake2b, name: str, path: str) -> None:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        content = b"?" + str(error.errno).encode()
    digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
    digest.update(content)


def _files(root: str) -> list[str]:
    """Regular files at or below ``root``, sorted, without Python's own caches."""
    if not os.path.isdir(root):
        return [root]
    found = []
    for entry in os.scandir(root):
        if entry.is_dir(follow_symlinks=False):
            found += [] if entry.name == "__pycache__" else _files(entry.path)
        else:
            found.append(entry.path)
    return sorted(found)


def _list_tree(path: str, lines: list[str]) -> None:
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except NotADirectoryError:
        lines.append(_row(path, os.lstat(path)))
        return
    except OSError as error:
        lines.append(f"{path} {error.errno}")
        return
    for entry in entries:
        seen = entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            lines.append(f"{entry.path} {seen.st_mode} {seen.st_uid} {seen.st_gid}")
            _list_tree(entry.path, lines)
        else:
            lines.append(_row(entry.path, seen))
            if entry.is_symlink():
                lines.append(_behind(entry.path))


def _row(path: str, seen: os.stat_result) -> str:
    return (
        f"{path} {seen.st_mode} {seen.st_uid} {seen.st_gid} {seen.st_size} {seen.st_ino} {seen.st_mtime_ns} {seen.st_ctime_ns}"
    )


def _behind(path: str) -> str:
    try:
        return _row(os.readlink(path), os.stat(path))
    except OSError as error:
        return f"{path} {error.errno}"


def _program(path: str) -> str:
    try:
        seen = os.stat(path)
    except OSError:
        return f"{path} -"
    return f"{path} {seen.st_size} {seen.st_ino} {seen.st_mtime_ns}"


def _master(pid_file: str) -> str:
    """``pid start-time`` of the live process that the file names, ``-`` when there is none."""
    try:
        with open(pid_file, "rb") as file:
            pid = int(file.read().strip() or b"0")
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may hold anything; the 22nd field is the 20th behind it.
            return f"{pid} {int(file.read().rpartition(b')')[2].split()[19])}"
    except (OSError, ValueError, IndexError):
        return "-"


def _memory() -> str:
    try:
        with open("/proc/meminfo", "rb") as file:
            return file.readline().decode().strip()
    except OSError:
        return "-"


def refreshed(stamp: tuple[Watch, dict[str, str]] | None) -> str | None:
    """The stamp with the master processes of now, if the files are still those of then; else None."""
    if stamp is None:
        return None
    watch, sections = stamp
    for row in watch.services:
        now = observe_service(row)
        program, _, rest = now.split("\n", 2)
        before = sections.get(row[0], "\n\n").split("\n", 2)
        if (before[0], before[2]) != (program, rest):
            return None
        sections[row[0]] = now
    return dump(watch, sections)
