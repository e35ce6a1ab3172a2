"""The machine itself, behind the door of ``port``. Built by ``cli`` alone."""

from __future__ import annotations

import os
import shutil
import time
from typing import Callable, ContextManager, Dict, FrozenSet, Iterable, Mapping, Optional, Sequence, Tuple

from deploykit import places
from deploykit.model import Answer, Found, Probe, Running, Service, Trial, TrialResult
from deploykit.system import accounts, files, listeners, processes, stamp
from deploykit.system.port import CommandResult
from deploykit.system.signals import Watch

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class RealMachine(files.WritableFiles):
    """This machine; ``prefix`` is the folder that stands for ``/`` in what deploykit itself keeps.

    argv, environment and bundle tell the stamp what was asked; watch holds signals off while something is undone.
    """

    def __init__(self, prefix: str, argv: Sequence[str], environment: Dict[str, str], bundle: str, watch: Watch) -> None:
        super().__init__()
        self._prefix = prefix
        self._argv = list(argv)
        self._environment = environment
        self._bundle = bundle
        self._watch = watch
        self.allow([places.home(prefix)])

    # --- look -------------------------------------------------------------------------------------------------------

    def find(self, path: str) -> Found:
        return files.find(path)

    def read(self, path: str) -> bytes:
        return files.read(path)

    def names(self, folder: str) -> Tuple[str, ...]:
        return files.names(folder)

    def tool(self, *names: str) -> str:
        found = (shutil.which(name, path=PATH) for name in names)
        return next((path for path in found if path), "")

    def uid(self, name: str) -> Optional[int]:
        return accounts.uid(name)

    def gid(self, name: str) -> Optional[int]:
        return accounts.gid(name)

    def accounts(self) -> Tuple[FrozenSet[str], FrozenSet[str], Mapping[str, FrozenSet[str]]]:
        return accounts.everybody()

    def own_ids(self) -> Tuple[int, int]:
        return os.geteuid(), os.getegid()

    def is_root(self) -> bool:
        return os.geteuid() == 0

    def free_space(self, folder: str) -> Tuple[int, int]:
        return files.free_space(folder)

    def ask(self, argv: Sequence[str], seconds: float = 10.0) -> CommandResult:
        from deploykit.system import commands

        return commands.ask(argv, seconds)

    def master(self, pid_file: str) -> Optional[Running]:
        return processes.master(pid_file)

    def children(self, pid: int) -> Tuple[Running, ...]:
        return processes.children(pid)

    def holder(self, address: str, port: int, besides: int) -> Optional[Running]:
        return listeners.holder(address, port, besides)

    def measure(self, workers: Sequence[int]) -> Dict[str, int]:
        return processes.measure(workers)

    def request(self, probe: Probe) -> Answer:
        if probe.kind == "fastcgi":
            from deploykit.system import fastcgi

            return fastcgi.ask(probe.address, probe.path, probe.timeout)
        from deploykit.system import http

        return http.ask(probe)

    def newest_change(self, folders: Iterable[str], folders_too: bool = True) -> float:
        return max((_newest(folder, folders_too) for folder in folders), default=0) / 1e9

    def proved(self) -> Tuple[str, ...]:
        return stamp.unchanged_services(stamp.read(places.stamp(self._prefix)))

    def watched(self, service: str) -> Tuple[str, ...]:
        known = stamp.read(places.stamp(self._prefix))
        rows = known[0].services if known else ()
        return next((row[3:] for row in rows if row[0] == service), ())

    def timestamp(self) -> str:
        return time.strftime("%Y%m%d-%H%M%S", time.gmtime())

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_clock(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    # --- try out ----------------------------------------------------------------------------------------------------

    def rehearse(self, trial: Trial) -> TrialResult:
        from deploykit.system import trial as trials

        return trials.rehearse(trial)

    # --- change -----------------------------------------------------------------------------------------------------

    def command(self, argv: Sequence[str], seconds: float, say: Optional[Callable[[str], None]] = None) -> CommandResult:
        from deploykit.system import commands

        return commands.command(argv, seconds, say)

    def remember(self, services: Sequence[Service], inputs: Optional[Sequence[str]], outside: Optional[Sequence[str]]) -> None:
        web = outside if outside is not None else [path for path in self.watched("nginx") if not os.path.isdir(path)]
        rows = tuple(
            (s.name, s.pid_file, s.binary, *dict.fromkeys([*s.writable, *(web if s.name == "nginx" else ())])) for s in services
        )
        watch = stamp.Watch(tuple(inputs or ()), rows)
        sections = {row[0]: stamp.observe_service(row) for row in rows}
        if inputs is not None:
            sections["request"] = stamp.observe_request(self._argv, self._environment)
            sections["inputs"] = stamp.observe_inputs(self._bundle, os.path.dirname(places.__file__), watch)
        self._replace(places.stamp(self._prefix), stamp.dump(watch, sections))

    def refresh_proof(self) -> None:
        path = places.stamp(self._prefix)
        fresh = stamp.refreshed(stamp.read(path))
        if fresh:
            self._replace(path, fresh)

    def signal(self, pid: int, number: int) -> None:
        os.kill(pid, number)

    def uninterrupted(self, then_raise: bool = False) -> ContextManager[None]:
        return self._watch.hold(then_raise)

    def _replace(self, path: str, text: str) -> None:
        temporary = path + ".new"
        if os.path.lexists(temporary):
            self.remove(temporary)
        content = text.encode("utf-8", "surrogateescape")
        self.write_new(temporary, content, 0o600, os.geteuid(), os.getegid())
        self.rename(temporary, path)


def _newest(path: str, folders_too: bool) -> int:
    """The newest change time (ns) at or below a path, of links and of what they lead to, but not below what they lead to."""
    try:
        is_folder = os.path.isdir(path)
        newest = os.lstat(path).st_ctime_ns if folders_too or not is_folder else 0
        for entry in os.scandir(path) if is_folder else ():
            below = entry.is_dir(follow_symlinks=False)
            newest = max(newest, _newest(entry.path, folders_too) if below else _changed(entry))
    except OSError:
        return 0
    return newest


def _changed(entry: os.DirEntry[str]) -> int:
    own = entry.stat(follow_symlinks=False).st_ctime_ns
    try:
        return max(own, entry.stat().st_ctime_ns) if entry.is_symlink() else own
    except OSError:
        return own  # a link that leads nowhere
