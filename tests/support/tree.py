"""A writable folder with files, and plans for it without a template: what the stages around the switch are tested with."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from deploykit import record as records
from deploykit import transaction
from deploykit.errors import Location
from deploykit.journal import Journal
from deploykit.model import Plan, Request, Service, Settings, Target
from deploykit.stages.apply import apply, prepare
from deploykit.stages.plan import Difference, plan
from deploykit.system.output import Output
from deploykit.system.real import RealMachine
from deploykit.system.signals import Watch

CHANGING = ("make_folder", "remove_folder", "write_new", "rename", "remove", "link", "copy", "move", "append", "sync")


class Seen(NamedTuple):
    """What lies at a path: everything that an undo brings back. Folders have no times of their own."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    content: bytes


class Killed(BaseException):
    """The power failed: nothing runs that would tidy up."""


class UnsyncedMachine(RealMachine):
    """Does not wait for a disk that other tests keep busy: nothing here asks what a power failure leaves on it."""

    def sync(self, folders: Iterable[str]) -> None:
        pass


class KilledMachine(UnsyncedMachine):
    """Dies at the call with this number, counted from 0, of those that change the machine."""

    def __init__(self, prefix: str, at: int) -> None:
        super().__init__(prefix, [], {}, "", Watch(60.0))
        self.left = at

    def __getattribute__(self, name: str) -> object:
        if name in CHANGING:
            self.left -= 1
            if self.left < 0:
                raise Killed
        return super().__getattribute__(name)


class Tree:
    """``folder/etc`` is writable and nginx's; deploykit's own files are below ``folder/var``, or elsewhere if told so."""

    def __init__(self, folder: str, kept: str = "") -> None:
        self.folder = folder
        self.prefix = kept or folder
        self.etc = folder + "/etc"
        os.mkdir(self.etc)
        for name in ("run", "var/log", "var/lib/nginx"):
            os.makedirs(f"{self.prefix}/{name}", exist_ok=True)
        self.services = {
            name: Service(
                name,
                self.etc,
                f"{self.etc}/{name}.conf",
                f"{self.prefix}/run/{name}.pid",
                f"{self.prefix}/var/log/{name}.log",
                "www-data",
            )
            for name in ("nginx", "php-fpm")
        }
        self.settings = Settings(
            folder, "test", {}, {}, self.services, (), writable=(self.etc,), facts={"prefix": self.prefix, "php_worker_mb": 0}
        )
        self.record = records.Record()
        self._machines: List[RealMachine] = []

    def machine(self, killed_at: Optional[int] = None) -> RealMachine:
        """A machine as a new process has it."""
        made = (
            UnsyncedMachine(self.prefix, [], {}, "", Watch(60.0))
            if killed_at is None
            else KilledMachine(self.prefix, killed_at)
        )
        self._machines.append(made)
        return made

    def close(self) -> None:
        for machine in self._machines:
            for opened in vars(machine)["_open"].values():
                os.close(opened)

    def target(self, name: str, content: bytes = b"new", mode: int = -1, **more: str) -> Target:
        template, owner, group = f"config_templates/nginx/{name}.j2", more.get("owner", ""), more.get("group", "")
        return Target(f"{self.etc}/{name}", "nginx", template, content, mode, owner, group)

    def owns(self, **files: bytes) -> None:
        """The record says that these files (``/`` written as ``__``) were rendered before."""
        names = {name.replace("__", "/"): content for name, content in files.items()}
        targets = tuple(self.target(name, content) for name, content in names.items())
        self.record = records.parse(records.dump("test", targets, 0))

    def removing(self, *names: str) -> None:
        """``remove:`` lists these."""
        listed = tuple((f"{self.etc}/{name}", "nginx", Location("deploykit.yml", n)) for n, name in enumerate(names, 1))
        self.settings = replace(self.settings, remove=listed)

    def difference(self, targets: Iterable[Target] = ()) -> Difference:
        return plan(self.settings, tuple(targets), self.record, self.machine())

    def plan(self, targets: Iterable[Target] = ()) -> Plan:
        """The plan for these targets and no others."""
        wanted = tuple(targets)
        found = self.difference(wanted)
        record = records.dump("test", wanted, 0)
        request = Request("AfterInstall", self.folder, self.prefix)
        owner = self.machine().own_ids()
        return Plan(request, self.settings, found.changes, found.folders, owner=owner, record=record)

    def journal(self, planned: Plan) -> Journal:
        return transaction._journal(planned, transaction._run_name(self.prefix, self.machine()), self.machine())

    def switch(self, planned: Plan, killed_at: Optional[int] = None) -> int:
        """Put a plan live without closing its journal; returns how many changing calls were left when it ended."""
        machine = self.machine(10**6 if killed_at is None else killed_at)
        journal = self.journal(planned)
        machine.allow(journal.roots)
        try:
            prepare(planned, journal, machine)
            apply(planned, journal, machine)
        except Killed:
            pass
        assert isinstance(machine, KilledMachine)
        return machine.left

    def deploy(self, targets: Iterable[Target] = ()) -> str:
        """A whole run without services, journal closed; returns its name."""
        machine, planned = self.machine(), self.plan(targets)
        with transaction.begin(planned, machine, quiet()) as journal:
            transaction.put_live(planned, journal, machine)
        self.record = records.parse(planned.record)
        return journal.run

    def seen(self) -> Dict[str, Seen]:
        """Everything below ``etc``."""
        return {path[len(self.etc) :]: _seen(path) for path in _walk(self.etc)}

    def leftovers(self) -> List[str]:
        """Names that only an open run may have."""
        home = Path(self.prefix, "var/lib/deploykit")
        own = [
            str(path)
            for path in home.glob("*")
            if path.name not in ("stamp", "record.json", "history") and path.suffix != ".new"
        ]
        return own + [path for path in _walk(self.etc) if ".deploykit-" in path]


class TreeIn(Tree):
    """A tree in a new folder: ``with TreeIn("/dev/shm") as tree``. kept: where the folder for deploykit's own files is made."""

    def __init__(self, parent: str, kept: str = "") -> None:
        self._folders = [tempfile.mkdtemp(prefix="dk-tree-", dir=one) for one in (parent, kept) if one]
        super().__init__(self._folders[0], self._folders[-1])

    def __enter__(self) -> TreeIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for folder in self._folders:
            shutil.rmtree(folder)


def quiet() -> Output:
    """An output that nobody reads."""
    import io

    return Output(io.StringIO(), colour=False)


def _walk(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        yield entry.path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)


def _seen(path: str) -> Seen:
    found: Tuple[str, bytes, int]
    stat = os.lstat(path)
    if os.path.islink(path):
        found = ("symlink", os.fsencode(os.readlink(path)), stat.st_mtime_ns)
    elif os.path.isdir(path):
        found = ("folder", b"", 0)
    else:
        found = ("file", Path(path).read_bytes(), stat.st_mtime_ns)
    return Seen(found[0], stat.st_mode & 0o7777, stat.st_uid, stat.st_gid, found[2], found[1])
