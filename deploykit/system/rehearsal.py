"""Start php-fpm and nginx for real, out of everybody's sight, and ask them.

A start that succeeds has read, checked and opened all that ``-t`` would, and more: sockets, owners, folders of ``listen``. So
``-t`` runs only when a start failed (its messages name file and line) or where nothing can be started. What a trial
cannot see: addresses that live programs hold, zones that live memory holds, databases, names without a live answer.
"""

from __future__ import annotations

import os
import re
import time
from typing import Callable, List, Optional, Sequence

from deploykit.model import Answer, Probe, Trial, TrialService
from deploykit.system import knock, traces
from deploykit.system.child import Channel
from deploykit.system.crew import Crew, Run
from deploykit.system.namespace import Kernel

PAUSE = 0.005
PID_FILE_SECONDS = 2.0
MOST_NAMES = 10
SHORT = {"nginx": "nginx", "php-fpm": "fpm"}  # as kinds of problems begin
NAME_NOT_FOUND = re.compile(r'\[emerg\][^\n]*host not found in [^"\n]*"(?:[a-z]+://)?([^":/\s]+)')
GATEWAY = (502, 503, 504)


class Rehearsal:
    """One trial's questions. rights: is an account other than our own ours to become, and a file ours to give away?"""

    def __init__(self, trial: Trial, channel: Channel, kernel: Kernel, crew: Crew, rights: bool) -> None:
        self._trial = trial
        self._channel = channel
        self._kernel = kernel
        self._crew = crew
        self._rights = rights
        self._both = len(trial.services) == 2

    def run(self, hosts: Optional[int]) -> None:
        """Start the services and ask all questions. hosts: open file that names of other machines can be added to."""
        if not self._start_all(hosts):
            return
        self._channel.tell("phase", "asking the services")
        self._ask_addresses()
        for probe in self._trial.probes:
            self._ask(probe)
        self._still_there()
        self._channel.tell("rehearsed")

    def test(self, services: Sequence[TrialService], mend: Callable[[str], str] = str) -> None:
        """Only ``-t``; mend: what makes live paths of those in the output."""
        runs = [(service, self._crew.start(service.test)) for service in services]
        self._crew.wait(run for _, run in runs)
        for service, run in runs:
            run.output = mend(run.output)
            if run.status == 0:
                self._warn(service, run.output)
            elif run.status is None:
                self._overdue(service, run)
            else:
                self._problem(f"{SHORT[service.name]}-test", service, run.output or f"{run.argv[0]} -t ended with {run.status}")

    def _start_all(self, hosts: Optional[int]) -> bool:
        self._channel.tell("phase", "starting the services")
        # Both at once: nginx does not need php-fpm's sockets before it is asked something.
        runs = [(service, self._crew.start(service.start)) for service in self._trial.services]
        knock.prepare(self._trial.probes)
        self._crew.wait(run for _, run in runs)
        runs = [(service, self._again_with_names(service, run, hosts)) for service, run in runs]
        verdicts = [self._started(service, run) for service, run in runs]  # each has something to say
        return all(verdicts)

    def _again_with_names(self, service: TrialService, run: Run, hosts: Optional[int]) -> Run:
        """There is no DNS in here: what nginx could not resolve is looked up by the parent, outside."""
        for _ in range(MOST_NAMES):
            unknown = NAME_NOT_FOUND.search(run.output) if run.status and service.name == "nginx" else None
            addresses = self._channel.ask("resolve", unknown[1]) if unknown else ()
            if not unknown or not addresses or hosts is None:
                break
            os.write(hosts, "".join(f"{address} {unknown[1]}\n" for address in addresses).encode())
            run = self._crew.start(service.start)
            self._crew.wait((run,))
        return run

    def _started(self, service: TrialService, run: Run) -> bool:
        if run.status is None:
            self._overdue(service, run)
            return False
        if run.status != 0:
            self._explain(service, run)
            return False
        self._warn(service, run.output)
        if service.pid_file and not self._appears(service.pid_file):
            text = f"{' '.join(run.argv)} ended with status 0, but no running process is in {service.pid_file}"
            self._problem(f"{SHORT[service.name]}-test", service, _with(text, run.output))
            return False
        return True

    def _explain(self, service: TrialService, run: Run) -> None:
        """A start failed: have ``-t`` say why. When it finds nothing, the start's own words, and the log's, must do."""
        check = self._crew.start(service.test)
        self._crew.wait((check,))
        said = run.output if check.status == 0 else check.output or run.output
        if check.status == 0 and not self._rights:
            why = _first_error(said)
            self._channel.tell("note", f"{service.name} accepts this configuration, but cannot be started without root: {why}")
            return
        text = said or f"{' '.join(run.argv)} ended with status {run.status}"
        more = self._traces(said) if check.status == 0 else ()
        self._problem(f"{SHORT[service.name]}-test", service, _with(text, *more))

    def _appears(self, pid_file: str) -> bool:
        until = time.monotonic() + self._crew.left(PID_FILE_SECONDS)
        while not _alive(pid_file):
            if time.monotonic() > until:
                return False
            time.sleep(PAUSE)
            self._crew.reap()
        return True

    def _ask_addresses(self) -> None:
        if not self._both:
            return  # nobody but php-fpm would answer, or nobody asks
        user = self._trial.user if self._rights else ""
        heard = knock.ask_all(self._trial.addresses, user, self._crew.left(5.0), self._kernel)
        for address, why, wrong in heard:
            if wrong:
                self._channel.tell("problem", "fastcgi-address", "nginx", f"{address}: {why}")
            else:
                self._channel.tell("note", f"{address} was not tried out: {why}")

    def _ask(self, probe: Probe) -> None:
        names = {service.name for service in self._trial.services}
        if ("php-fpm" if probe.kind == "fastcgi" else "nginx") not in names:
            return
        asked = _title(probe)
        try:
            answer = knock.ask(probe, self._crew.left(probe.timeout))
        except knock.UnaskableError as why:
            self._channel.tell("note", f"{asked} was not asked: {why}")
            return
        wrong = _mismatch(probe, answer)
        if wrong and answer.status in GATEWAY and not self._both:
            self._channel.tell("note", f"{asked} {wrong}: php-fpm was not part of this trial")
        elif wrong:
            service = "php-fpm" if probe.kind == "fastcgi" else "nginx"
            self._channel.tell("problem", "probe", service, _with(f"{asked} {wrong}", *self._traces()))

    def _still_there(self) -> None:
        self._crew.reap()
        for service in self._trial.services:
            if service.pid_file and not _alive(service.pid_file):
                text = f"{service.name} started, and ended by itself a moment later"
                self._problem(f"{SHORT[service.name]}-test", service, _with(text, *self._traces()))

    def _traces(self, known: str = "") -> List[str]:
        return [line for line in traces.last_lines(self._trial.private) if line not in known]

    def _warn(self, service: TrialService, output: str) -> None:
        lines = traces.warnings(output)
        if lines:
            self._channel.tell("warning", f"{SHORT[service.name]}-test-warning", service.name, "\n".join(lines))

    def _overdue(self, service: TrialService, run: Run) -> None:
        text = f"{' '.join(run.argv)} was not over when the time of the trial was"
        self._problem("timeout", service, _with(text, run.hear()))

    def _problem(self, kind: str, service: TrialService, output: str) -> None:
        self._channel.tell("problem", kind, service.name, output)


def _alive(pid_file: str) -> bool:
    try:
        with open(pid_file, "rb") as stream:
            os.kill(int(stream.read(32)), 0)
    except (OSError, ValueError):
        return False
    return True


def _title(probe: Probe) -> str:
    if probe.kind == "fastcgi":
        return f"FastCGI GET {probe.path} from {probe.address}"
    return f"{probe.method} {probe.url}" + (f" (Host: {probe.host})" if probe.host else "")


def _mismatch(probe: Probe, answer: Answer) -> str:
    """What is wrong with an answer, ``""`` when nothing is."""
    expected = " or ".join(map(str, probe.expect))
    if answer.status == 0:
        return f"got no answer: {answer.error}, expected {expected}"
    if answer.status not in probe.expect:
        return f"answered {answer.status}, expected {expected}"
    if answer.status == 200 and not answer.body and probe.method != "HEAD":
        return "answered 200 with an empty body"
    if probe.body and probe.body.encode() not in answer.body:
        return f"answered {answer.status}, but {probe.body!r} is not in the body"
    return ""


def _first_error(text: str) -> str:
    lines = text.splitlines()
    return next((line for line in lines if "ERROR" in line or "[emerg]" in line), lines[-1] if lines else "no reason given")


def _with(text: str, *more: str) -> str:
    return "\n".join((text, *filter(None, more)))
