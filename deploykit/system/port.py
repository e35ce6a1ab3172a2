"""The one door to the machine, in three widths: look, try out, change.

``Readable`` looks; ``Scratch`` also tries a candidate out in private; ``Machine`` also changes. Code that decides is given
the narrower door, so that a change made while deciding is a type error. Errors of the operating system come as
``OSError``; a path outside the writable roots, or behind a symbolic link, as ``errors.Refused``.
"""

from __future__ import annotations

from typing import Callable, ContextManager, FrozenSet, Iterable, Mapping, Optional, Protocol, Sequence, Tuple

from deploykit.model import Answer, Found, Probe, Running, Service, Trial, TrialResult


class CommandResult:
    """How a command ended: status as a shell would say it (128 + signal, 124 timed out, 127 not found) and its output."""

    __slots__ = ("output", "status")

    def __init__(self, status: int, output: str) -> None:
        self.status = status
        self.output = output


class Readable(Protocol):
    """Look at the machine; nothing here leaves a trace."""

    def find(self, path: str) -> Found:
        """What lies at ``path`` (not followed when it is a symbolic link); kind ``absent`` when nothing does."""
        ...

    def read(self, path: str) -> bytes:
        """All bytes of a regular file."""
        ...

    def names(self, folder: str) -> Tuple[str, ...]:
        """Names in a folder, sorted; ``()`` when it is not there."""
        ...

    def tool(self, *names: str) -> str:
        """Absolute path of the first of these programs that is installed, else ``""``."""
        ...

    def uid(self, name: str) -> Optional[int]:
        """Number of an account (a name, or digits), None when there is none."""
        ...

    def gid(self, name: str) -> Optional[int]:
        """Number of a group (a name, or digits), None when there is none."""
        ...

    def accounts(self) -> Tuple[FrozenSet[str], FrozenSet[str], Mapping[str, FrozenSet[str]]]:
        """Names of all accounts, of all groups, and for each account the groups that it is in."""
        ...

    def own_ids(self) -> Tuple[int, int]:
        """Our own effective (uid, gid)."""
        ...

    def is_root(self) -> bool:
        """May this process change owners and bind low ports?"""
        ...

    def free_space(self, folder: str) -> Tuple[int, int]:
        """Free (bytes, inodes) for us on the file system of the nearest existing parent of ``folder``."""
        ...

    def ask(self, argv: Sequence[str], seconds: float = 10.0) -> CommandResult:
        """Run a command that only tells (``nginx -V``, ``systemctl show``); stdin is empty, output is stdout + stderr."""
        ...

    def master(self, pid_file: str) -> Optional[Running]:
        """The live process that a pid file names, None when there is none."""
        ...

    def children(self, pid: int) -> Tuple[Running, ...]:
        """Direct children of a process, with their titles."""
        ...

    def holder(self, address: str, port: int, besides: int) -> Optional[Running]:
        """Who else than process ``besides`` listens at this TCP address (``""`` for any); None: nobody that we may see."""
        ...

    def measure(self, workers: Sequence[int]) -> Mapping[str, int]:
        """``cores``, ``memory_mb`` and ``worker_mb`` (what the largest of these processes costs, 0 for none)."""
        ...

    def request(self, probe: Probe) -> Answer:
        """One HTTP or FastCGI question; never raises for a service that does not answer."""
        ...

    def newest_change(self, folders: Iterable[str], folders_too: bool = True) -> float:
        """When anything below these folders last changed (content, owner, name): seconds since 1970; 0 for nothing there.

        A folder changes when a name in it comes or goes; ``folders_too`` says whether that counts.
        """
        ...

    def proved(self) -> Tuple[str, ...]:
        """Names of the services whose files and processes are exactly as the last proof left them."""
        ...

    def watched(self, service: str) -> Tuple[str, ...]:
        """Files and folders of a service that the last proof looked at."""
        ...

    def timestamp(self) -> str:
        """Now, in UTC, as ``20261124-181002``: sorts by time and is easy to type."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that only goes forward."""
        ...

    def wall_clock(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Scratch(Readable, Protocol):
    """Try things out where nobody can see them."""

    def rehearse(self, trial: Trial) -> TrialResult:
        """Judge a candidate in private namespaces; ``judge`` in the result says how far that was possible."""
        ...


class Machine(Scratch, Protocol):
    """Change the machine. Each call is one boundary at which power may fail."""

    def allow(self, roots: Iterable[str]) -> None:
        """From now on changes of files are possible below these folders, and nowhere else."""
        ...

    def make_folder(self, path: str, mode: int, uid: int, gid: int) -> None:
        """Make one folder; its parent is there."""
        ...

    def remove_folder(self, path: str) -> None:
        """Remove one empty folder."""
        ...

    def write_new(self, path: str, content: bytes, mode: int, uid: int, gid: int, label_of: str = "") -> None:
        """Write a file that is not there yet, with owner, mode and the security label of ``label_of`` already right."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Put ``source`` in the place of ``target``, atomically."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file or symbolic link."""
        ...

    def link(self, path: str, second: str) -> None:
        """Give a file or symbolic link a second name beside it (a true copy where links are not possible)."""
        ...

    def copy(self, path: str, second: str) -> None:
        """A true copy of a file or symbolic link, owner, mode and times too."""
        ...

    def move(self, path: str, target: str) -> None:
        """Move a file or symbolic link, to another file system too."""
        ...

    def append(self, path: str, line: bytes) -> None:
        """Add a line to a file (made 0600 if need be) and wait until it is on disk."""
        ...

    def sync(self, folders: Iterable[str]) -> None:
        """Wait until all that was written on the file systems of these folders is on disk."""
        ...

    def command(self, argv: Sequence[str], seconds: float, say: Optional[Callable[[str], None]] = None) -> CommandResult:
        """Run a command that changes something; its whole process group ends with it or at ``seconds``."""
        ...

    def remember(self, services: Sequence[Service], inputs: Optional[Sequence[str]], outside: Optional[Sequence[str]]) -> None:
        """Note that these services' files and processes are proved as they are now.

        outside: files that nginx reads outside its own folders; None for those that were noted last.

        inputs: further files that the configuration was made from (below the bundle, or absolute); None when the present
        bundle is not what is live, so that only the live side is noted.
        """
        ...

    def refresh_proof(self) -> None:
        """The services were started from files that were proved: note their new processes."""
        ...

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to one process."""
        ...

    def uninterrupted(self, then_raise: bool = False) -> ContextManager[None]:
        """While it is open, SIGTERM and our own deadline wait: undoing is not to be cut short by what caused it.

        then_raise: what came meanwhile is raised at the end; else it is dropped, since the run ends anyhow.
        """
        ...
