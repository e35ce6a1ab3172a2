"""Judge a candidate before one live byte changes, as well as this environment allows.

1. ``namespace``: as root, at the real paths in private namespaces; both services are started and asked.
2. ``user namespace``: the same without root, or without CAP_SYS_ADMIN, with copies of the folders.
3. ``copy``: no namespaces; copies below a temporary folder, with rewritten paths, and only ``-t``.
4. ``none``: nothing of that.

All work is done in forked children; this process only listens, and ends them.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from contextlib import nullcontext
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from deploykit.errors import Refused
from deploykit.model import Trial, TrialProblem, TrialResult, TrialService
from deploykit.system import knock, relocated
from deploykit.system.child import Channel, Heard, conduct
from deploykit.system.commands import PATH
from deploykit.system.compose import Composition
from deploykit.system.crew import Crew
from deploykit.system.namespace import Kernel, as_first, enter_as_root, enter_as_user, map_everybody, short
from deploykit.system.rehearsal import Rehearsal

RESOLVE_SECONDS = 3.0
SPARE = 0.95  # of the time is the child's: the rest is for its own words about what was too slow
ADVICE = {
    "namespace": "root with CAP_SYS_ADMIN and without RestrictNamespaces= or a mount filter gets the best judge",
    "user namespace": "user namespaces may be off: user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns",
    "copy": "the temporary folder may be full or not writable: TMPDIR",
}

Resolver = Callable[[str], Sequence[str]]
Way = Callable[["_Attempt", Channel, str], None]


def resolve(name: str) -> Tuple[str, ...]:
    """Addresses of a name in the live network, ``()`` when there is no answer within three seconds."""
    heard = conduct(lambda channel: channel.tell("addresses", _addresses(name)), RESOLVE_SECONDS, Kernel())
    return next((tuple(word[0]) for word in heard.all("addresses")), ())


def rehearse(trial: Trial, kernel: Optional[Kernel] = None, resolver: Resolver = resolve) -> TrialResult:
    """Judge ``trial`` in at most ``trial.seconds``. The argument lists of its services must name their main files (-c, -y).

    Refused when the candidate itself cannot be laid in: a target behind a symbolic link or outside the covered folders. Never
    raises for an environment that allows too little: ``judge`` and ``notes`` say what was used. kernel and resolver are
    what the trial uses of the machine. The live tree, and this process, stay as they are.
    """
    started = time.monotonic()
    _load(trial)
    services, notes = _installed(trial.services)
    trial = _with_services(trial, services)
    for judge, way in _judges() if services else ():
        left = started + trial.seconds - time.monotonic()
        attempt = _Attempt(trial, kernel or Kernel(), left)
        heard = attempt.conduct(way, resolver)
        why = _unavailable(heard)
        if not why:
            return _result(judge, heard, notes, started)
        notes.append(f"the judge {judge!r} is not possible here ({why}): {ADVICE[judge]}")
    return TrialResult("none", False, (), (), tuple(notes), time.monotonic() - started)


def _load(trial: Trial) -> None:
    """Import before the fork what this process needs later too, to ask the probes and to sync: else both would pay."""
    import ctypes  # noqa: F401

    knock.prepare(trial.probes)


class _Attempt:
    """One judge at work. seconds: what is left for it and for its own words about what was too slow."""

    def __init__(self, trial: Trial, kernel: Kernel, seconds: float) -> None:
        self._trial = trial
        self._kernel = kernel
        self._seconds = seconds
        self._until = time.monotonic() + seconds * SPARE

    def conduct(self, way: Way, resolver: Resolver) -> Heard:
        """Go one way in a child; a temporary folder of its way is gone afterwards."""
        replies: Mapping[str, Callable[[Any], object]] = {"resolve": resolver, "map": map_everybody}
        with relocated.room() if way is _Attempt.as_copy else nullcontext("") as room:

            def work(channel: Channel) -> None:
                self._guarded(channel, lambda: way(self, channel, room))

            return conduct(work, self._seconds, self._kernel, replies)

    def as_root(self, channel: Channel, _room: str) -> None:
        """Mode 1."""
        rehearsable = enter_as_root(self._kernel, channel)
        as_first(self._kernel, channel, lambda: self._guarded(channel, lambda: self._try_out(channel, rehearsable, True)))

    def as_user(self, channel: Channel, _room: str) -> None:
        """Mode 2: an overlay would not help, what lies below it belongs to nobody there."""
        rehearsable = enter_as_user(self._kernel, channel)
        as_first(self._kernel, channel, lambda: self._guarded(channel, lambda: self._try_out(channel, rehearsable, False)))

    def as_copy(self, channel: Channel, room: str) -> None:
        """Mode 3."""
        channel.tell("phase", "copying the configuration")
        copy = relocated.Relocation(self._trial, room, lambda text: channel.tell("note", text))
        services = copy.build()
        crew = Crew(self._until)
        Rehearsal(self._trial, channel, self._kernel, crew, False).test(services, copy.mend)
        crew.end_all()
        channel.tell("done")

    def _try_out(self, channel: Channel, rehearsable: bool, overlay: bool) -> None:
        channel.tell("phase", "laying the candidate over private folders")
        hosts = Composition(self._kernel, self._trial, overlay, lambda text: channel.tell("note", text)).build()
        if not overlay:
            self._kernel.keep_low_ports()
        crew = Crew(self._until)
        rehearsal = Rehearsal(self._trial, channel, self._kernel, crew, os.geteuid() == 0)
        if rehearsable:
            rehearsal.run(hosts)
        else:
            rehearsal.test(self._trial.services)
        crew.end_all()
        channel.tell("done")

    @staticmethod
    def _guarded(channel: Channel, work: Callable[[], None]) -> None:
        try:
            work()
        except Refused as why:
            channel.tell("refused", why.message, why.hint)
        except OSError as why:
            channel.tell("unavailable", short(why))


def _judges() -> List[Tuple[str, Way]]:
    """The judges that may be possible for this user, best first."""
    judges: List[Tuple[str, Way]] = [("user namespace", _Attempt.as_user), ("copy", _Attempt.as_copy)]
    return [("namespace", _Attempt.as_root), *judges] if os.geteuid() == 0 else judges


def _unavailable(heard: Heard) -> str:
    """Why this judge could not work here, ``""`` when it could (or was stopped at it)."""
    if heard.overdue or heard.all("refused"):
        return ""
    for message in heard.all("unavailable"):
        return str(message[0])
    for message in heard.all("crash"):
        return f"a bug in deploykit, please report it: {message[0]}"
    return "" if heard.all("done") else "the process that judged ended unexpectedly"


def _result(judge: str, heard: Heard, notes: List[str], started: float) -> TrialResult:
    for message, hint in heard.all("refused"):
        raise Refused(message, hint=hint)
    problems = [TrialProblem(*words) for words in heard.all("problem")]
    if heard.overdue:
        phase = heard.all("phase")
        doing = phase[-1][0] if phase else "making a private namespace"
        problems.append(TrialProblem("timeout", "", f"the trial's time ended while it was {doing}"))
    notes += dict.fromkeys(str(words[0]) for words in heard.all("note"))
    warnings = tuple(TrialProblem(*words) for words in heard.all("warning"))
    rehearsed = bool(heard.all("rehearsed"))
    return TrialResult(judge, rehearsed, tuple(problems), warnings, tuple(notes), time.monotonic() - started)


def _installed(services: Sequence[TrialService]) -> Tuple[Tuple[TrialService, ...], List[str]]:
    there = tuple(service for service in services if _program(service.start[0]) and _program(service.test[0]))
    missing = [service for service in services if service not in there]
    return there, [f"{service.name} is not installed here ({service.start[0]}): it was not tried out" for service in missing]


def _program(name: str) -> bool:
    places = [name] if "/" in name else [f"{folder}/{name}" for folder in PATH.split(":")]
    return any(os.access(place, os.X_OK) for place in places)


def _with_services(trial: Trial, services: Tuple[TrialService, ...]) -> Trial:
    return trial if services == trial.services else dataclasses.replace(trial, services=services)


def _addresses(name: str) -> List[str]:
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
    except OSError:
        return []
