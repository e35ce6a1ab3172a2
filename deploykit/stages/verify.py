"""Do the running services serve what they should? Each probe is asked again until it is right or its time is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional, Sequence

from deploykit.errors import Failed
from deploykit.model import Answer, Probe
from deploykit.system.port import Readable

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
HINTS = {
    301: "a redirect is an answer: ask the address it leads to, or expect 301",
    302: "a redirect is an answer: ask the address it leads to, or expect 302",
    403: "nginx may not read the file, or the folder has no index file: look into nginx's error log",
    404: "no file is there, or another server block answered: compare server_name and root",
    500: "PHP failed: look into its error log and the application's",
    502: "nginx got no answer from php-fpm: compare fastcgi_pass with the pool's listen, and look into nginx's error log",
    503: "the service is overloaded or in maintenance",
    504: "php-fpm took too long: look into its slow log",
}


def verify(probes: Sequence[Probe], machine: Readable, seconds: float, say: Callable[[str], None]) -> None:
    """Ask every probe in turn, each until its answer counts, at most for its own ``within`` and ``seconds`` in all.

    Status and body both count. ``Failed`` at the first probe that stays wrong, with its last answer, the number of
    tries and what to look at.
    """
    until = machine.monotonic() + seconds
    for probe in probes:
        _verify_one(probe, machine, min(machine.monotonic() + probe.within, until), say)


def _verify_one(probe: Probe, machine: Readable, until: float, say: Callable[[str], None]) -> None:
    began = machine.monotonic()
    pause = FIRST_PAUSE
    tries = 0
    while True:
        tries += 1
        left = max(until - machine.monotonic(), FIRST_PAUSE)
        answer = machine.request(replace(probe, timeout=min(probe.timeout, left)))
        wrong = complaint(probe, answer)
        took = machine.monotonic() - began
        if wrong is None:
            say(f"{question(probe)} answered {answer.status}" + (f" at try {tries}, after {took:.1f} s" if tries > 1 else ""))
            return
        if machine.monotonic() + pause >= until:
            times = "try" if tries == 1 else "tries"
            raise Failed(
                f"{question(probe)} {wrong}, after {tries} {times} in {took:.1f} s", at=probe.at, hint=_hint(probe, answer)
            )
        machine.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def question(probe: Probe) -> str:
    """A probe as a reader would ask it: ``GET http://127.0.0.1/ (Host: example.org)``."""
    if probe.kind == "fastcgi":
        return f"FastCGI {probe.address} {probe.path}"
    return f"{probe.method} {probe.url}" + (f" (Host: {probe.host})" if probe.host else "")


def complaint(probe: Probe, answer: Answer) -> Optional[str]:
    """What is wrong with an answer, None when it counts."""
    if answer.status == 0:
        return f"did not answer ({answer.error or 'no reason known'})"
    if answer.status not in probe.expect:
        expected = " or ".join(str(status) for status in probe.expect)
        detail = f" ({answer.error})" if answer.error else ""
        return f"answered {answer.status}{detail}, expected {expected}"
    if probe.body and probe.body.encode() not in answer.body:
        return f"answered {answer.status} without {probe.body!r} in its {len(answer.body)} bytes"
    return None


def _hint(probe: Probe, answer: Answer) -> str:
    if answer.status == 0:
        return "is the service running, and does it listen at that very address?"
    if answer.status in probe.expect:
        return "another page or another release answers there"
    if probe.kind == "fastcgi" and answer.status == 404:
        return "the pool has no ping.path or pm.status_path of that name, and no script there"
    return HINTS.get(answer.status, "look into the service's error log")
