"""A throw-away machine: a real systemd as PID 1, nginx and php-fpm as their distribution starts them.

``with Machine(root) as machine: machine.run(["systemctl", "is-active", "nginx"])``. It dies with the test run, also with
one that was killed; a folder and empty cgroups can be left then, and the next run removes them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tarfile
import time
import uuid
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Tuple

from support.instance.disk import Disk, Seen, files

ADDRESS = "10.231.0.2"  # of every instance: each has a network of its own
REBOOTED = 133
SCRIPT = Path(__file__).with_name("world.sh")
# The kernel ends `unshare` when we die, and that takes its child along, which is PID 1 of all that follows.
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
WORLD = ("setpriv", "--pdeathsig=KILL", *NAMESPACES, "sh", str(SCRIPT))
AS_UNIT = ("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec")


class Result(NamedTuple):
    """How a command ended: exit status, and stdout with stderr."""

    status: int
    output: str


class Machine:
    """One instance, on an overlay of a suite's root: what it writes lies in a folder of its own, and goes with it."""

    def __init__(self, root: Path, like: Optional[Path] = None) -> None:
        """like: a copy of another instance's disk, see :meth:`disk.Disk.copy`."""
        self._root = root
        self._like = like
        self._uuid = str(uuid.uuid4())
        self._world: Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Machine:
        self.disk = Disk(self._root.name, self._like)
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()
        self.disk.remove()

    def boot(self, seconds: float = 60.0) -> str:
        """Start it from what its disk holds: ``running``, or ``degraded`` when a unit has failed. Raises RuntimeError."""
        self.disk.clear_work()
        host = f"ip-{ADDRESS}".replace(".", "-")
        settings = {"FOLDER": str(self.disk.folder), "ROOT": str(self._root), "NAME": self.disk.name, "HOST": host}
        with open(self.disk.folder / "console.log", "ab") as console:
            self._world = subprocess.Popen(
                [*WORLD, *map(str, self.disk.groups())],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env={**os.environ, **settings, "UUID": self._uuid},
                start_new_session=True,
            )
        return self._wait_until_up(seconds)

    def reboot(self) -> str:
        """An orderly reboot; like :meth:`boot`."""
        assert self._world is not None
        self.look("systemctl", "reboot")
        if self._world.wait(60) != REBOOTED:
            raise RuntimeError(f"the instance did not reboot: {self.disk.console()}")
        return self.boot()

    def cut_power(self) -> None:
        """All its processes are gone at once. Its disk is as it was; :meth:`boot` starts it again."""
        if self._world is None:
            return
        for first in _children(self._world.pid):
            os.kill(first, signal.SIGKILL)
        self._world.wait(30)
        self._world = None

    def run(self, argv: Sequence[str], seconds: float = 120.0) -> Result:
        """Run a command as a unit of its systemd: a cgroup of its own, and nothing but systemd's environment."""
        return self.finish(self.start(argv), seconds)

    def start(self, argv: Sequence[str], unit: str = "") -> subprocess.Popen[bytes]:
        """Begin such a command, as a unit of that name if there is one; :meth:`finish` waits for it."""
        plain = (word.replace("$", "$$") for word in argv)  # systemd fills in variables itself
        words = [*self._inside(), *AS_UNIT, *([f"--unit={unit}"] if unit else []), "--", *plain]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    @staticmethod
    def finish(program: subprocess.Popen[bytes], seconds: float = 120.0) -> Result:
        """Wait for a command that was started; TimeoutExpired when it takes longer."""
        with program:
            try:
                output, _ = program.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                program.kill()
                raise
        return Result(program.returncode, output.decode("utf-8", "replace"))

    def look(self, *argv: str) -> str:
        """What a command prints that is run in the instance with all capabilities: good for looking, not for proving."""
        words = [*self._inside(), *argv]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.stdout.decode("utf-8", "replace").strip()

    def put(self, source: Path, target: str) -> None:
        """Copy a folder's contents into a folder of the instance, as root's.

        Unpacked inside: from out here an absolute symbolic link on the way would lead to a file of this machine.
        """
        unpack = ["sh", "-c", 'mkdir -p "$0" && exec tar --no-overwrite-dir -C "$0" -xf -', target]
        with subprocess.Popen([*self._inside(), *unpack], stdin=subprocess.PIPE) as inside:
            assert inside.stdin is not None
            with tarfile.open(fileobj=inside.stdin, mode="w|") as packed:
                packed.add(source, ".", filter=_as_root)
            inside.stdin.close()
        if inside.returncode:
            raise RuntimeError(f"{source} could not be unpacked as {target}")

    def write(self, path: str, text: str) -> None:
        """Write a text file in the instance, with its folder."""
        script = 'mkdir -p "${0%/*}" && cat >"$0"'
        subprocess.run([*self._inside(), "sh", "-c", script, path], input=text.encode(), check=True)

    def outside(self) -> List[str]:
        """Words that make a command of this machine reach the instance over its network."""
        assert self._world is not None
        return ["nsenter", "-t", str(_children(self._world.pid)[0]), "-n", "--"]

    def get(self, path: str = "/health", port: int = 80) -> Tuple[int, str]:
        """Status (0 for no answer) and body of a page, asked for over the network."""
        words = ["curl", "--silent", "--max-time", "5", "--write-out", "\n%{http_code}", f"http://{ADDRESS}:{port}{path}"]
        told = subprocess.run([*self.outside(), *words], stdout=subprocess.PIPE, check=False).stdout
        body, _, status = told.decode("utf-8", "replace").rpartition("\n")
        return int(status), body

    def files(self, *folders: str) -> Seen:
        """All below the folders, as :func:`disk.files` tells it."""
        return files(Path(f"/proc/{self._leader()}/root"), folders)

    def _inside(self) -> List[str]:
        leader = self._leader()
        if not leader:
            raise RuntimeError(f"the instance is not up: {self.disk.console()}")
        return ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"]

    def _leader(self) -> int:
        """PID 1 of the instance as this machine counts, 0 while there is none."""
        assert self._world is not None
        for first in _children(self._world.pid):
            for nspawn in _children(first):
                if _program(nspawn) == "systemd-nspawn":
                    return next(iter(_children(nspawn)), 0)
        return 0

    def _wait_until_up(self, seconds: float) -> str:
        assert self._world is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._world.poll() is None:
            leader = self._leader()
            if leader and os.path.lexists(f"/proc/{leader}/root/run/systemd/private"):
                told = self.look("systemctl", "is-system-running", "--wait")
                if told in ("running", "degraded"):
                    return told
            time.sleep(0.02)
        raise RuntimeError(f"the instance did not come up: {self.disk.console()}")


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _children(pid: int) -> List[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
