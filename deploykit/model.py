"""The nouns, as frozen data. What they do lives elsewhere.

Paths are absolute on this machine unless a docstring says otherwise; modes are plain integers
(``0o644``); owners and groups are names in what the user writes and numbers in what the machine says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple

from deploykit.errors import Location

EVENTS = (
    "BeforeBlockTraffic",
    "AfterBlockTraffic",
    "ApplicationStop",
    "BeforeInstall",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)

SERVICES = ("nginx", "php-fpm")


@dataclass(frozen=True)
class Request:
    """What was asked for: one event (or none, for commands that run no event), and where.

    bundle: folder that holds deploykit.yml and config_templates/.
    prefix: folder that stands for ``/`` (``--root``); ``""`` is the machine itself.
    environment: name given by ``--env``, or ``""`` to choose by deployment group.
    variables: ``--var name=value``, the strongest layer.
    deadline: seconds from the start that the event may take, undo included.
    """

    event: str
    bundle: str
    prefix: str = ""
    environment: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    application: str = ""
    group: str = ""
    deployment: str = ""
    deadline: float = 3600.0


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
class FileRule:
    """How one template becomes files, with the settings of ``files:`` filled in.

    template: path below ``config_templates/``; to: path below the service's folder, may hold ``{{ }}``.
    mode None, owner or group ``""``: as the live file, else 0644 root root. when: a Jinja expression, ``""`` is always.
    each: name of the list variable to go through, ``""`` for none; item: the name it has in the template.
    """

    template: str
    service: str
    to: str
    mode: Optional[int] = None
    owner: str = ""
    group: str = ""
    when: str = ""
    each: str = ""
    item: str = "item"
    at: Optional[Location] = None


@dataclass(frozen=True)
class StepSpec:
    """One line under ``events:``: the step's name and its arguments as they were written."""

    name: str
    arguments: Any
    at: Location


@dataclass(frozen=True)
class Settings:
    """deploykit.yml as it holds for one environment on one machine.

    variables: all layers merged; origins: where the winning layer wrote each top-level one. secrets: names of variables
    whose values are never shown. remove: (live path, service, place in deploykit.yml) of other people's files that must go.
    inputs: files that were read besides deploykit.yml and config_templates/ (below the bundle, or absolute).
    """

    bundle: str
    environment: str
    variables: Mapping[str, Any]
    origins: Mapping[str, Location]
    services: Mapping[str, Service]
    files: Tuple[FileRule, ...]
    remove: Tuple[Tuple[str, str, Location], ...] = ()
    writable: Tuple[str, ...] = ()
    secrets: Tuple[str, ...] = ()
    probes: Tuple[Probe, ...] = ()
    events: Mapping[str, Tuple[StepSpec, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    inputs: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A file that a template becomes: where, what is in it, whose, and from which template.

    template: path below the bundle, as the user knows it. each: the ``each:`` item's key, for messages.
    """

    path: str
    service: str
    template: str
    content: bytes
    mode: int
    owner: str
    group: str
    each: str = ""


@dataclass(frozen=True)
class Removal:
    """A live file that must go: rendered by a former revision, or listed under ``remove:``."""

    path: str
    service: str
    reason: str


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
class Change:
    """One difference between wanted and found.

    action: ``create`` ``replace`` ``attributes`` (owner or mode only) ``remove``.
    before and after hold the bytes, for the diff; ``b""`` where there are none. source: the kept file that comes back,
    times and all, where this undoes an earlier run.
    """

    action: str
    path: str
    service: str
    template: str
    found: Found
    before: bytes = b""
    after: bytes = b""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    reason: str = ""
    source: str = ""


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
class Candidate:
    """The whole configuration as it shall be: every target, changed or not, what differs from live, folders that are still
    to be made, and what to ask of it. seconds: how long judging it may take. newest: when a live file had last changed before
    anything was compared."""

    settings: Settings
    targets: Tuple[Target, ...]
    changes: Tuple[Change, ...]
    folders: Tuple[str, ...] = ()
    probes: Tuple[Probe, ...] = ()
    unchanged: int = 0
    seconds: float = 60.0
    newest: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What came back: status 0 is "no answer", error says why."""

    status: int
    body: bytes = b""
    error: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing a judge says. severity: ``error`` ``warning`` ``info``; only an error stops a deployment."""

    rule: str
    severity: str
    message: str
    at: Optional[Location] = None
    hint: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judge's word on a candidate: which judge it was, what it found, what it could not look at.

    outside: files that nginx reads outside its own folders (includes, certificates); None where nobody looked.
    """

    judge: str
    findings: Tuple[Finding, ...] = ()
    notes: Tuple[str, ...] = ()
    seconds: float = 0.0
    outside: Optional[Tuple[str, ...]] = None

    @property
    def errors(self) -> Tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")


@dataclass(frozen=True)
class TrialFile:
    """A file of the candidate that differs from the live one, as the trial lays it over the live tree."""

    path: str
    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class TrialService:
    """How one service is tested and started in a trial: argument lists, never shell strings.

    test exits 0 when the configuration is accepted; start daemonises; pid_file tells its master afterwards.
    """

    name: str
    test: Tuple[str, ...]
    start: Tuple[str, ...]
    pid_file: str


@dataclass(frozen=True)
class Trial:
    """What is tried out in private, at the real absolute paths, before one live byte changes.

    covered: live folders whose private version the candidate is laid into; shielded: folders into which the application may
    write when it is asked: where overlays are possible, those writes stay in the trial; private: folders that are empty
    there (run, log, lib, tmp) but for their sub-folders; visible: folders that stay as they are although they
    lie below a private one. addresses: every FastCGI address that nginx's files name (``unix:/run/x.sock``,
    ``127.0.0.1:9000``), each must take a connection from ``user``. probes: asked once through nginx.
    seconds: for the whole trial.
    """

    files: Tuple[TrialFile, ...]
    removals: Tuple[str, ...]
    covered: Tuple[str, ...]
    private: Tuple[str, ...]
    visible: Tuple[str, ...]
    services: Tuple[TrialService, ...]
    addresses: Tuple[str, ...]
    user: str
    probes: Tuple[Probe, ...]
    seconds: float = 30.0
    shielded: Tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialProblem:
    """One thing that went wrong in a trial. service: who said it. output: its words, for mapping to a template line."""

    kind: str
    service: str
    output: str


@dataclass(frozen=True)
class TrialResult:
    """judge: ``namespace`` ``user namespace`` ``copy`` ``none``; rehearsed: both services were really started and asked."""

    judge: str
    rehearsed: bool
    problems: Tuple[TrialProblem, ...]
    warnings: Tuple[TrialProblem, ...] = ()
    notes: Tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Running:
    """A process that is there: started is its start time in clock ticks since boot (field 22 of /proc/PID/stat)."""

    pid: int
    started: int
    title: str = ""


@dataclass(frozen=True)
class SocketMoves:
    """FastCGI addresses that the changed pool files give up and take up, and what a bridge needs to keep the old ones alive.

    gone and new: addresses as written after ``listen =``. bridge: (path of a temporary pool file, its text) or None.
    """

    gone: Tuple[str, ...] = ()
    new: Tuple[str, ...] = ()
    bridge: Optional[Tuple[str, str]] = None


@dataclass(frozen=True)
class Plan:
    """What an event would do, and the proof that it may. Printed by a dry run, carried out otherwise.

    due: services to reload, by change or because a reload is owed. folders: to be made, parents first, with the owner.
    record: the text that tells the next run which files are ours. newest: see ``Candidate``. leaving: folders that go if
    they are empty afterwards.
    """

    request: Request
    settings: Settings
    changes: Tuple[Change, ...] = ()
    folders: Tuple[str, ...] = ()
    due: Tuple[str, ...] = ()
    owed: Tuple[str, ...] = ()
    moves: SocketMoves = SocketMoves()
    probes: Tuple[Probe, ...] = ()
    verdict: Verdict = Verdict("none")
    steps: Tuple[StepSpec, ...] = ()
    start: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    owner: Tuple[int, int] = (0, 0)
    record: bytes = b""
    unchanged: int = 0
    newest: float = 0.0
    leaving: Tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.changes or self.due or self.start)


@dataclass(frozen=True)
class Outcome:
    """How carrying out ended. run: its name in the history, ``""`` when nothing was changed. newest: when a live file had
    last changed when it was proved."""

    run: str
    summary: str
    changed: int = 0
    reloaded: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    newest: float = 0.0
