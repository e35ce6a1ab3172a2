"""Where no namespace can be had: the candidate as a copy in a temporary folder, with its paths rewritten.

Weaker than the real paths: what a file names outside the covered folders is read live, names that are put together from
variables are not rewritten, nothing is started. Killed by SIGKILL in the middle, the temporary folder stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import replace
from typing import Callable, Iterator, List, Tuple

from deploykit.errors import Refused
from deploykit.model import Trial, TrialFile, TrialService
from deploykit.system import folders

LARGEST_TEXT = 1 << 20
SECRET = (".pem", ".key", ".crt", ".der", ".p12")


@contextlib.contextmanager
def room() -> Iterator[str]:
    """A temporary folder of ours alone, as long as the block lasts; ``""`` when there can be none."""
    import shutil
    import tempfile

    try:
        place = os.path.realpath(tempfile.mkdtemp(prefix="deploykit-trial-"))
    except OSError:
        place = ""
    try:
        yield place
    finally:
        if place:
            shutil.rmtree(place, ignore_errors=True)


class Relocation:
    """A copy of the covered folders below ``room``, where ``/etc/nginx`` is ``room/etc/nginx``."""

    def __init__(self, trial: Trial, room: str, note: Callable[[str], None]) -> None:
        self._trial = trial
        self._room = room
        self._note = note
        self._moved = tuple(dict.fromkeys((*trial.covered, *trial.private)))
        alternatives = sorted({*self._moved, *trial.visible}, key=len, reverse=True)
        names = "|".join(re.escape(path) for path in alternatives)
        self._paths = re.compile(rf"(?<![\w./-])({names})(?=[/\s;:,*\"')\]}}]|$)", re.MULTILINE)

    def build(self) -> Tuple[TrialService, ...]:
        """Copy, lay in, rewrite. Returns the services with rewritten arguments. OSError when that is not possible."""
        if not self._room:
            raise OSError(28, "no temporary folder can be made", "mkdtemp")
        self._copy_all()
        for target in self._trial.files:
            self._put(target)
        for path in self._trial.removals:
            self._drop(self._place_of(path))
        for path in self._trial.covered:
            self._rewrite_all(self._room + path)
        self._note("tested as a copy with rewritten paths: files outside the covered folders were read as they are live")
        return self._services()

    def mend(self, text: str) -> str:
        """A text with live paths again."""
        return text.replace(self._room, "")

    def _moves(self, path: str) -> str:
        """Where a path is in the copy."""
        return self._paths.sub(lambda found: self._room + found[1] if found[1] in self._moved else found[1], path)

    def _services(self) -> Tuple[TrialService, ...]:
        found: List[TrialService] = []
        for service in self._trial.services:
            test = tuple(self._moves(argument) for argument in service.test)
            if test == service.test:
                self._note(f"{service.name} cannot be tested as a copy: {' '.join(test)} names no covered file")
            else:
                found.append(replace(service, test=test))
        if not found:
            raise OSError(22, "no test names a covered file", "-t")
        return tuple(found)

    def _copy_all(self) -> None:
        closed = {*self._trial.covered, *self._trial.private, *self._trial.visible, self._room}
        for path in sorted(self._trial.private):
            os.makedirs(self._room + path, exist_ok=True)
            if os.path.isdir(path):
                folders.skeleton(path, self._room + path, closed, self._note)
        for path in sorted(self._trial.covered, key=len):
            if not any(folders.below(path, top) and path != top for top in self._trial.covered):
                os.makedirs(self._room + path, exist_ok=True)
                if os.path.isdir(path):
                    folders.copy(path, self._room + path, self._note)

    def _put(self, target: TrialFile) -> None:
        place = self._place_of(target.path)
        self._drop(place)
        with open(place, "xb") as sink:
            sink.write(target.content)
            folders.own(sink.fileno(), target.uid, target.gid)
            os.fchmod(sink.fileno(), target.mode)

    def _drop(self, place: str) -> None:
        try:
            os.unlink(place)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise Refused(f"{self.mend(place)} is a folder, not a file", hint="move the folder away") from None

    def _place_of(self, path: str) -> str:
        if not any(folders.below(path, top) and path != top for top in self._trial.covered) or os.path.normpath(path) != path:
            raise Refused(f"{path} is not below a folder that is tried out in private", hint="add its folder to writable:")
        here = self._room
        for part in os.path.dirname(path).split("/")[1:]:
            here = f"{here}/{part}"
            if os.path.islink(here):
                raise folders.link_refusal(self.mend(here), os.readlink(here))
            if not os.path.isdir(here):
                os.mkdir(here, 0o755)
        return self._room + path

    def _rewrite_all(self, top: str) -> None:
        for folder, names, files in os.walk(top):
            for name in (*names, *files):
                self._rewrite(f"{folder}/{name}")

    def _rewrite(self, path: str) -> None:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            self._rewrite_link(path)
        elif stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST_TEXT and not path.endswith(SECRET):
            with open(path, "r+b") as stream:
                old = stream.read().decode("utf-8", "surrogateescape")
                new = self._moves(old)
                if new != old and "\0" not in old:
                    stream.seek(0)
                    stream.write(new.encode("utf-8", "surrogateescape"))
                    stream.truncate()

    def _rewrite_link(self, path: str) -> None:
        old = os.readlink(path)
        new = self._moves(old)
        if new != old:
            os.unlink(path)
            os.symlink(new, path)
