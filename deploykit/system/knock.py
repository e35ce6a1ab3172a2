"""The questions of a trial: does every FastCGI address take a connection, does every probe get its answer?"""

from __future__ import annotations

import dataclasses
import errno
import os
import pwd
import socket
import time
from typing import Any, List, Tuple

from deploykit.model import Answer, Probe
from deploykit.system import fastcgi, http  # here, not in the trial: the package's own folder may be hidden there
from deploykit.system.child import Channel, DiesWithParent, conduct

PAUSE = 0.005
PATIENCE = 0.1  # seconds for an address to appear: php-fpm listens before its start ends, another server may not
ELSEWHERE = "it is not on this machine, and there is no other in the private network"

MAY_COME = (errno.ENOENT, errno.ECONNREFUSED)
REASONS = {
    errno.ENOENT: "no such file: no pool listens there",
    errno.ECONNREFUSED: "connection refused: nobody listens there",
    errno.EACCES: "permission denied: the workers' account may not connect (listen.owner, listen.group, listen.mode)",
}


class UnaskableError(Exception):
    """The question has no meaning in a private network; the message says why."""


def ask_all(addresses: Tuple[str, ...], user: str, seconds: float, kernel: DiesWithParent) -> List[Tuple[str, str, bool]]:
    """Connect to each address as ``user`` (``""``: as we are): (address, why not, is that a fault?) of those that failed."""
    if not addresses:
        return []
    heard = conduct(lambda channel: _knock_as(user, addresses, channel), seconds, kernel)
    answers: List[Tuple[str, str, bool]] = [(word[0], word[1], word[2]) for word in heard.all("failed")]
    crashes = heard.all("crash")
    if crashes or heard.overdue:
        why = crashes[0][0] if crashes else f"not all of the {len(addresses)} addresses answered in {seconds:.1f} s"
        answers.append((addresses[len(heard.all("asked")) % len(addresses)], why, True))
    return answers


def prepare(probes: Tuple[Probe, ...]) -> None:
    """Load what asking takes, while there is something else to wait for."""
    if any(probe.kind == "http" for probe in probes):
        import http.client  # noqa: F401


def ask(probe: Probe, seconds: float) -> Answer:
    """One question, asked in at most ``seconds``."""
    probe = dataclasses.replace(probe, timeout=max(0.01, seconds))
    if probe.kind == "fastcgi":
        return fastcgi.ask(probe.address, probe.path, probe.timeout)
    _refuse_names(probe.url)
    return http.ask(probe)


def _refuse_names(url: str) -> None:
    from urllib.parse import urlsplit

    name = "" if url.startswith("http://unix:") else urlsplit(url).hostname
    try:
        socket.getaddrinfo(name or "localhost", None)
    except socket.gaierror:
        raise UnaskableError(f"no DNS in the private network finds {name}; ask 127.0.0.1 with a host: header") from None


def _knock_as(user: str, addresses: Tuple[str, ...], channel: Channel) -> None:
    if user:
        _become(user)
    until = time.monotonic() + PATIENCE
    for address in addresses:
        why, wrong = _knock(address, until)
        if why:
            channel.tell("failed", address, why, wrong)
        channel.tell("asked")


def _become(user: str) -> None:
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise LookupError(f"there is no account {user} to connect as") from None
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _knock(address: str, until: float) -> Tuple[str, bool]:
    while True:
        try:
            _connect(address)
            return "", False
        except UnaskableError as why:
            return str(why), False
        except (OSError, ValueError, OverflowError) as why:
            number = getattr(why, "errno", None) or 0
            if number == errno.EAGAIN:  # a full queue: somebody listens
                return "", False
            if number not in MAY_COME or time.monotonic() > until:
                return REASONS.get(number, "") or str(getattr(why, "strerror", None) or why), True
        time.sleep(PAUSE)


def _connect(address: str) -> None:
    family, where = _where(address)
    with socket.socket(family, socket.SOCK_STREAM) as wire:
        wire.settimeout(1.0)
        try:
            wire.connect(where)
        except OSError as why:
            if why.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
                raise UnaskableError(ELSEWHERE) from None
            raise


def _where(address: str) -> Tuple[int, Any]:
    if address.startswith(("unix:", "/")):
        return socket.AF_UNIX, address[5:] if address.startswith("unix:") else address
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]") or "127.0.0.1", int(port), type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise UnaskableError(ELSEWHERE) from None
    return found[0][0], found[0][4]
