"""Lay a candidate over private versions of the live folders, in a mount namespace of our own.

The order is the safety: private versions are made and filled **beside** the live folders, and mounted over them last.
So no write of the composition ever goes by a live path, and a mistake here is an error, not a change of the machine.
"""

from __future__ import annotations

import os
import stat
from typing import Callable, Dict, List, Optional, Tuple

from deploykit.errors import Refused
from deploykit.model import Trial, TrialFile
from deploykit.system import folders
from deploykit.system.folders import below
from deploykit.system.namespace import BIND, NODEV, NOEXEC, NOSUID, RECURSIVE, Kernel, short

HOSTS = "/etc/hosts"
WORK = "/proc"  # a folder that every machine has and no composition needs: our tmpfs hides it, a new /proc hides the tmpfs
TOO_BROAD = ("/", "/dev", "/home", "/mnt", "/proc", "/root", "/run", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/log")
TOO_MUCH_TO_COPY = ("/etc", "/opt", "/srv", "/usr/local", "/var/www")


class Layer:
    """What is mounted over ``path``: ``place``. kind: ``covered`` ``private`` (both ours) or ``visible`` (as it is live)."""

    def __init__(self, path: str, place: str, kind: str) -> None:
        self.path = path
        self.place = place
        self.kind = kind


class Composition:
    """One private version of the machine's folders. Used once, in a child that has a mount namespace of its own.

    overlay: cover folders by overlay file systems (one changed file costs one file); else by copies. note: takes what
    could not be done as it should.
    """

    def __init__(self, kernel: Kernel, trial: Trial, overlay: bool, note: Callable[[str], None]) -> None:
        self._kernel = kernel
        self._trial = trial
        self._overlay = overlay
        self._note = note
        self._private = tuple(dict.fromkeys(os.path.realpath(path) for path in trial.private))
        self._visible = tuple(dict.fromkeys(os.path.realpath(path) for path in trial.visible if os.path.exists(path)))
        self._layers: List[Layer] = []
        self._links: Dict[str, str] = {}
        self._made = 0

    def build(self) -> Optional[int]:
        """Compose and mount. Returns an open file to which lines for the private /etc/hosts can be appended, or None.

        Refused for a target that cannot be laid in without touching the live machine; OSError when this environment
        lacks what it takes.
        """
        mounted = folders.mounted()  # before the tmpfs hides /proc
        self._kernel.mount("tmpfs", WORK, "tmpfs", NOSUID | NODEV, "mode=755")
        self._cover_all(mounted)
        for target in self._trial.files:
            self._put(target)
        for path in self._trial.removals:
            self._drop(path)
        self._shield()
        self._add_private()
        self._add_visible(mounted)
        for layer in sorted(self._layers, key=lambda layer: (layer.path.count("/"), layer.path)):
            self._lay_over(layer)
        hosts = self._private_hosts()
        self._new_proc()
        os.chdir("/")
        return hosts

    def _cover_all(self, mounted: Tuple[str, ...]) -> None:
        wanted = {self._covering(path) for path in self._trial.covered}
        if self._overlay and not os.path.lexists(HOSTS):
            wanted.add(os.path.dirname(HOSTS))  # so that there can be one in private
        inner = {path for path in mounted if os.path.isdir(path) and any(below(path, top) for top in wanted)}
        for path in sorted(wanted, key=len):
            if path in inner or not any(below(path, top) for top in wanted - {path}):
                self._layers.append(Layer(path, self._version_of(path), "covered"))
        for path in sorted(inner - wanted, key=len):  # a file system of its own: the version of the folder above lacks it
            if any(below(target, path) for target in self._touched()):
                self._layers.append(Layer(path, self._version_of(path), "covered"))

    def _shield(self) -> None:
        """An application that is asked for a page writes caches and logs: not on the live machine, where that can be had."""
        if not self._overlay:
            return
        for path in map(os.path.realpath, self._trial.shielded):
            if os.path.isdir(path) and not any(below(path, layer.path) or below(layer.path, path) for layer in self._layers):
                try:
                    self._layers.append(Layer(path, self._overlay_of(path, self._new_place()), "covered"))
                except OSError as why:
                    self._note(f"{path} could not be shielded from what the application writes in the trial ({short(why)})")

    def _touched(self) -> Tuple[str, ...]:
        return (*(target.path for target in self._trial.files), *self._trial.removals)

    def _covering(self, path: str) -> str:
        """The folder to cover for ``path``: itself, or the nearest one above it that is there and ours to hide."""
        nearest = path
        while not os.path.lexists(nearest):
            nearest = os.path.dirname(nearest)
        if nearest != path and self._hidden(nearest):
            return path  # it will be made in there
        if nearest in TOO_BROAD or (not self._overlay and nearest in TOO_MUCH_TO_COPY):
            message = f"{path} is not there, and {nearest} is too broad to be tried out in private"
            raise Refused(message, hint=f"make {path} or a folder above it first, with a dir step in an earlier event")
        if not os.path.isdir(nearest):
            raise Refused(f"{nearest} is not a folder, so {path} cannot be one", hint=f"move {nearest} away")
        return nearest

    def _hidden(self, path: str) -> bool:
        """Is ``path`` in a folder that will be empty in private (and not shown again)?"""
        inner = max((p for p in (*self._private, *self._visible) if below(path, p)), key=len, default="")
        return inner in self._private

    def _version_of(self, path: str) -> str:
        place = self._new_place()
        if not os.path.isdir(path):
            return place
        if self._overlay:
            try:
                return self._overlay_of(path, place)
            except OSError as why:
                self._overlay = False
                self._note(f"no overlay ({short(why)}): the covered folders were copied instead")
        folders.copy(path, place, self._note)
        return place

    def _overlay_of(self, path: str, place: str) -> str:
        upper, work = self._new_place(), self._new_place()
        folders.make_like(os.stat(path), upper)
        lower = os.path.realpath(path)
        for mark in "\\:,":
            lower = lower.replace(mark, "\\" + mark)
        self._kernel.mount("overlay", place, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
        return place

    def _new_place(self) -> str:
        self._made += 1
        place = f"{WORK}/{self._made}"
        os.mkdir(place, 0o755)
        return place

    def _put(self, target: TrialFile) -> None:
        place = self._place_of(target.path)
        self._clear(place, target.path)
        number = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            rest = memoryview(target.content)
            while rest:
                rest = rest[os.write(number, rest) :]
            folders.own(number, target.uid, target.gid)
            os.fchmod(number, target.mode)
        finally:
            os.close(number)

    def _drop(self, path: str) -> None:
        self._clear(self._place_of(path), path)

    def _clear(self, place: str, path: str) -> None:
        try:
            os.unlink(place)  # never written through: a symbolic link there is replaced, not followed
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise Refused(f"{path} is a folder, not a file", hint="move the folder away, or choose another path") from None

    def _place_of(self, path: str) -> str:
        """Where the live ``path`` is composed; its folders are made."""
        above = [layer for layer in self._layers if below(path, layer.path)]
        layer = max(above, key=lambda layer: len(layer.path), default=None)
        if layer is None or layer.path == path or os.path.normpath(path) != path:
            raise Refused(f"{path} is not below a folder that is tried out in private", hint="add its folder to writable:")
        here = self._folder(os.path.dirname(path), layer)
        return f"{here}/{os.path.basename(path)}"

    def _folder(self, path: str, layer: Layer) -> str:
        if path not in self._links:
            if path == layer.path:
                folders.refuse_links(path)
                place = layer.place
            else:
                place = f"{self._folder(os.path.dirname(path), layer)}/{os.path.basename(path)}"
                self._make_folder(place, path)
            self._links[path] = place
        return self._links[path]

    @staticmethod
    def _make_folder(place: str, path: str) -> None:
        try:
            found = os.lstat(place)
        except FileNotFoundError:
            os.mkdir(place, 0o755)
            return
        if stat.S_ISLNK(found.st_mode):
            raise folders.link_refusal(path, os.readlink(place))
        if not stat.S_ISDIR(found.st_mode):
            raise Refused(f"{path} is not a folder", hint=f"move {path} away")

    def _add_private(self) -> None:
        keep = {layer.path for layer in self._layers}.union(self._visible, self._private)
        for path in self._private:
            place = self._new_place()
            if os.path.isdir(path):
                folders.skeleton(path, place, keep, self._note)
            elif not any(below(path, layer.path) for layer in self._layers) and not self._hidden(os.path.dirname(path)):
                continue  # nowhere to make it but on the live machine
            self._layers.append(Layer(path, place, "private"))

    def _add_visible(self, mounted: Tuple[str, ...]) -> None:
        covered = tuple(layer.path for layer in self._layers if layer.kind == "covered")
        targets = {target.path for target in self._trial.files}
        show = [path for path in self._visible if self._needs_showing(path)]
        # An overlay or a copy does not have what is mounted below the live folder, as a container's /etc/hosts is.
        show += [path for path in mounted if any(below(path, top) and path != top for top in covered) and path not in targets]
        for path in dict.fromkeys(show):
            if any(layer.path == path for layer in self._layers):
                continue
            place = self._new_place() if os.path.isdir(path) else self._new_file()
            self._kernel.mount(path, place, "", BIND | RECURSIVE)
            self._layers.append(Layer(path, place, "visible"))

    def _needs_showing(self, path: str) -> bool:
        return any(below(path, layer.path) for layer in self._layers if layer.kind == "private")

    def _new_file(self) -> str:
        self._made += 1
        place = f"{WORK}/{self._made}"
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o644))
        return place

    def _lay_over(self, layer: Layer) -> None:
        if not os.path.lexists(layer.path):
            if os.path.isdir(layer.place):
                os.makedirs(layer.path, 0o755)
            else:
                os.makedirs(os.path.dirname(layer.path), 0o755, exist_ok=True)
                os.close(os.open(layer.path, os.O_WRONLY | os.O_CREAT, 0o644))
        self._kernel.mount(layer.place, layer.path, "", BIND | RECURSIVE)

    def _private_hosts(self) -> Optional[int]:
        """There is no DNS in a private network: names that nginx needs come from a file of ours."""
        try:
            if not os.path.lexists(HOSTS) and any(layer.path == os.path.dirname(HOSTS) for layer in self._layers):
                os.close(os.open(HOSTS, os.O_WRONLY | os.O_CREAT, 0o644))
            with open(HOSTS, "rb") as stream:
                known = stream.read()
            place = self._new_file()
            number = os.open(place, os.O_WRONLY | os.O_APPEND)
            os.write(number, known + b"\n")
            self._kernel.mount(place, HOSTS, "", BIND)
        except OSError:
            return None
        return number

    def _new_proc(self) -> None:
        try:
            self._kernel.mount("proc", WORK, "proc", NOSUID | NODEV | NOEXEC)
        except OSError:
            self._kernel.detach(WORK)  # a plain user in a container: the old one, which shows more than it should, will do
