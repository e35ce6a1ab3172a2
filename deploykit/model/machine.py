"""What there is: services, files, processes, and the questions that are put to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple

from deploykit.errors import Location


@dataclass(frozen=True)
class Service:
    """nginx or php-fpm as it is, or would be, on this machine.

    binary and version are ``""`` where it is not installed. root: its configuration root, main: its
    main file. supervisor: ``systemd`` or ``plain`` (signals and the pid file). folders: pairs (first folder
    in ``config_templates/SERVICE/``, its name below root) where the distribution calls it otherwise
    (``pool.d`` is ``php-fpm.d`` on Amazon Linux). writable: the files and folders that belong to it.
    user: the account its workers run as. run: folder of its sockets. socket: the default one in there.
    """

    name: str
    root: str
    main: str
    pid_file: str
    error_log: str
    user: str
    binary: str = ""
    version: str = ""
    unit: str = ""
    supervisor: str = "plain"
    socket: str = ""
    run: str = ""
    folders: Tuple[Tuple[str, str], ...] = ()
    writable: Tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        return bool(self.binary)

    @property
    def runtime_folders(self) -> Tuple[str, ...]:
        """Where it writes while it runs: pid file, log, sockets. Its package makes them, but not below a prefix."""
        files = (self.pid_file, self.error_log)
        return tuple(dict.fromkeys([*(f.rpartition("/")[0] for f in files if f), *([self.run] if self.run else [])]))


@dataclass(frozen=True)
class Facts:
    """What this machine is: its services, and the plain values that templates see as ``facts.*``."""

    services: Mapping[str, Service]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What lies at a path: kind is ``absent file symlink folder other``. Times in ns, link = where a symlink points."""

    path: str
    kind: str = "absent"
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    inode: int = 0
    device: int = 0
    link: str = ""

    @property
    def there(self) -> bool:
        return self.kind != "absent"

    def same_as(self, other: Found) -> bool:
        """Is this still the object that ``other`` saw? (The change time is left out: a second name changes it.)"""
        return (self.kind, self.mode, self.uid, self.gid, self.size, self.mtime_ns, self.inode, self.link) == (
            other.kind,
            other.mode,
            other.uid,
            other.gid,
            other.size,
            other.mtime_ns,
            other.inode,
            other.link,
        )


@dataclass(frozen=True)
class Running:
    """A process that is there: started is its start time in clock ticks since boot (field 22 of /proc/PID/stat)."""

    pid: int
    started: int
    title: str = ""


@dataclass(frozen=True)
class Probe:
    """One question to a running service, and the answer that counts.

    kind ``http``: url, host (Host header), expect (statuses), body (text that must be in it);
    ``unix`` in url (``http://unix:/run/x.sock:/path``) asks over a socket.
    kind ``fastcgi``: address (``unix:/run/x.sock`` or ``host:port``), path, body.
    timeout: seconds for one try; within: seconds for all of them. rehearse: may it be asked in the rehearsal too, where
    there is no database and no other host?
    """

    kind: str
    url: str = ""
    host: str = ""
    method: str = "GET"
    expect: Tuple[int, ...] = (200,)
    body: str = ""
    address: str = ""
    path: str = ""
    timeout: float = 5.0
    within: float = 10.0
    rehearse: bool = True
    at: Optional[Location] = None


@dataclass(frozen=True)
class Answer:
    """What came back: status 0 is "no answer", error says why."""

    status: int
    body: bytes = b""
    error: str = ""
