"""A private machine for the demonstration: a folder that stands for ``/``, and the part of the CodeDeploy agent."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set, Tuple

REPOSITORY = Path(__file__).resolve().parent.parent
IN_A_REVISION = ("appspec.yml", "deploykit.yml", "run.py", "hooks", "app", "config_templates", "deploykit")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a distribution's packages bring; the rest is the deployment's.
FOLDERS = ("etc", "run/php", "var/log/nginx", "var/lib/nginx", "var/www", "tmp")
BUSY_PAGE = """<?php
// Only in the demonstration: a page that is in progress whenever something reloads.
usleep(100000);
echo "busy ok\\n";
"""


def free_port() -> int:
    """A port that nobody holds on 127.0.0.1 just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ended:
    """How a command ended: its status, what it said (both streams, as the agent's log has them), and seconds."""

    def __init__(self, status: int, output: str, seconds: float) -> None:
        self.status = status
        self.output = output
        self.seconds = seconds


class Sandbox:
    """One folder below /tmp with one port, and the revisions that are deployed into it one after the other."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="deploykit-demo-", dir="/tmp"))
        self.root.chmod(0o755)  # nginx's workers must get through
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True)
        self.port = free_port()
        self.revisions: List[Path] = []

    def new_revision(self) -> Path:
        """Unpack the next revision where the agent would: this checkout, or a copy of the one before to be edited."""
        number = len(self.revisions) + 1
        archive = self.root / "opt/codedeploy-agent/deployment-root/demo-group" / f"d-{number}" / "deployment-archive"
        archive.mkdir(parents=True)
        origin = self.revisions[-1] if self.revisions else REPOSITORY
        for name in IN_A_REVISION:
            if (origin / name).is_dir():
                shutil.copytree(origin / name, archive / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(origin / name, archive / name)
        (archive / "app/public/busy.php").write_text(BUSY_PAGE)
        self.revisions.append(archive)
        return archive

    def drop_revision(self) -> None:
        """Forget the newest revision: it was refused."""
        shutil.rmtree(self.revisions.pop().parent)

    def install(self, archive: Path) -> None:
        """The agent's Install: what the former deployment copied goes, then the files of this one come."""
        target = self.root / "var/www/webapp"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(archive / "app", target)

    def options(self) -> List[str]:
        """What tells deploykit that this folder is the machine: on a real one there is nothing to add."""
        given = {
            "port": str(self.port),
        }
        words = ["--root", str(self.root), "--env", "staging"]
        for name, value in given.items():
            words += ["--var", f"{name}={value}"]
        return words

    def hook(self, name: str, archive: Path, *more: str) -> Ended:
        """Start a hook of a revision as the agent does: its variables and PATH, no HOME, no terminal, empty stdin."""
        event = "".join(word.capitalize() for word in name.split("_"))
        environment = {
            "PATH": PATH,
            "APPLICATION_NAME": "webapp",
            "DEPLOYMENT_GROUP_NAME": "staging",
            "DEPLOYMENT_GROUP_ID": "demo-group",
            "DEPLOYMENT_ID": archive.parent.name,
            "LIFECYCLE_EVENT": event,
            "DEPLOYKIT_PYTHON": sys.executable,
        }
        return run([str(archive / "hooks" / name), *self.options(), *more], environment)

    def get(self, path: str) -> Ended:
        """What the site answers to a plain request, in the words of curl -i."""
        start = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.getheaders())]
            text = "\n".join([*lines, "", answer.read().decode("utf-8", "replace")])
        except OSError as error:
            return Ended(1, str(error), time.monotonic() - start)
        finally:
            connection.close()
        return Ended(0, text, time.monotonic() - start)

    def generations(self) -> Dict[str, Set[int]]:
        """What is new of each service after a reload and only then: nginx's workers, the time of php-fpm's pid file.

        (A pool gains and loses workers as it needs them; the pid file is written by start and reload.)
        """
        return {
            pid_file.name: set(children_of(pid)) if pid_file.name == "nginx.pid" else {pid_file.stat().st_mtime_ns}
            for pid_file, pid in self.masters()
        }

    def masters(self) -> Iterator[Tuple[Path, int]]:
        """The pid files below this root that name a live process."""
        for pid_file in sorted((self.root / "run").rglob("*.pid")):
            text = pid_file.read_text().strip()
            if text.isdigit() and Path(f"/proc/{text}").exists():
                yield pid_file, int(text)

    def ask(self, words: List[str]) -> Ended:
        """Run a command that only tells."""
        return run(words, {"PATH": PATH})

    @staticmethod
    def php_fpm() -> str:
        """Path of the newest php-fpm that is installed, ``""`` when there is none."""
        found = [str(path) for folder in PATH.split(":") for path in Path(folder).glob("php-fpm*")]
        return max(found, default="")

    def fingerprint(self, tops: Tuple[str, ...] = ("etc", "run", "var")) -> str:
        """One hash over name, mode, time and content of all that is there but sockets and the services' own logs."""
        digest = hashlib.sha256()
        for top in tops:
            for path in sorted((self.root / top).rglob("*")):
                if "var/log/nginx" in str(path) or path.suffix == ".log" or path.is_socket():
                    continue
                found = path.lstat()
                digest.update(f"{path} {found.st_mode:o} {found.st_mtime_ns if path.is_file() else 0}\n".encode())
                digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()[:16]

    def stop(self) -> List[str]:
        """End the services that were started here, by the PIDs in their own pid files, and remove the folder."""
        left = [(pid_file.name, pid) for pid_file, pid in self.masters()]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for _, pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            left = wait_for_the_end(left)
            if not left:
                break
        shutil.rmtree(self.root, ignore_errors=True)
        return [name for name, _ in left]


def run(words: List[str], environment: Optional[Dict[str, str]] = None) -> Ended:
    """Run a command with an empty stdin from ``/``; two minutes are more than any of them needs."""
    start = time.monotonic()
    ended = subprocess.run(
        words,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode("utf-8", "replace"), time.monotonic() - start)


def children_of(pid: int) -> Tuple[int, ...]:
    """PIDs of the direct children of a process."""
    try:
        return tuple(int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except FileNotFoundError:
        return ()


def wait_for_the_end(services: List[Tuple[str, int]], seconds: float = 5.0) -> List[Tuple[str, int]]:
    """Those of the services that are still there after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        services = [(name, pid) for name, pid in services if alive(pid)]
        if not services:
            break
        time.sleep(0.05)
    return services


def alive(pid: int) -> bool:
    """Is there such a process, and is it more than a corpse that nobody has collected?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
