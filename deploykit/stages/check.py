"""Judge the whole candidate where it will live, before anything live changes."""

from __future__ import annotations

import posixpath
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from deploykit.errors import Refused
from deploykit.model import Candidate, Finding, Service, Trial, TrialFile, TrialProblem, TrialService, Verdict
from deploykit.services import messages, nginx, parsed, php_fpm, running
from deploykit.services.nginx_tree import fastcgi_addresses, files_outside, listens, texts
from deploykit.system.port import Readable, Scratch

_PRIVATE = ("/run", "/var/log", "/var/lib/nginx", "/tmp")
_SHIELDED = ("/var/www", "/srv", "/home", "/opt", "/var/lib/php", "/usr/share/nginx")


def check(candidate: Candidate, machine: Scratch, locate: messages.Locate) -> Verdict:
    """Try the candidate out in private and say what was found, at the templates' lines.

    locate tells the template's line for a line of a target. The verdict's ``judge`` names how far the trial could go;
    where neither program is installed only our own parsers look.
    """
    view = View(candidate, machine)
    nginx_texts = texts(candidate.settings.services["nginx"].main, view.read, view.names)
    result = machine.rehearse(trial(candidate, view, fastcgi_addresses(nginx_texts), machine))
    find = messages.Mapper({t.path: t for t in candidate.targets}, locate)
    findings = [*_findings(result.problems, "error", find), *_findings(result.warnings, "warning", find)]
    findings += [*_held(candidate, listens(nginx_texts), machine, find), *_missing_main(candidate, view, machine)]
    findings += _elsewhere(candidate, machine)
    if result.judge == "none":
        findings += parsed.findings(candidate.settings, view, find)
    if not result.rehearsed:
        findings += parsed.lost_sockets(candidate.settings, view, find)
    untried = [s.name for s in candidate.settings.services.values() if not (s.installed and view.has(s.main))]
    name = _name(result.judge, result.rehearsed) + (f", without {' and '.join(untried)}" if untried else "")
    outside = files_outside(nginx_texts, candidate.settings.services["nginx"].root)
    return Verdict(name, tuple(findings), result.notes, result.seconds, outside)


def stop_on_errors(verdict: Verdict) -> None:
    """Raises Refused with the first error when the verdict holds one."""
    if verdict.errors:
        first = verdict.errors[0]
        more = f" (and {len(verdict.errors) - 1} more)" if len(verdict.errors) > 1 else ""
        raise Refused(first.message + more, at=first.at, hint=first.hint or "mend it there and deploy again")


def trial(candidate: Candidate, view: View, addresses: Sequence[str], machine: Readable) -> Trial:
    """What the judge is to try: only what differs is laid over the live tree, all of it is judged."""
    settings, changes = candidate.settings, candidate.changes
    prefix = str(settings.facts.get("prefix", ""))
    services = settings.services
    tried = [service for service in services.values() if service.installed and view.has(service.main)]
    return Trial(
        files=tuple(TrialFile(c.path, c.after, c.mode, c.uid, c.gid) for c in changes if c.action != "remove"),
        removals=tuple(c.path for c in changes if c.action == "remove"),
        covered=_covered(candidate, machine),
        private=_private(prefix, candidate.folders),
        visible=tuple(p for p in (prefix, settings.bundle) if p),
        services=tuple(_commands(service) for service in tried),
        addresses=tuple(addresses),
        user=services["nginx"].user,
        probes=tuple(probe for probe in candidate.probes if probe.rehearse),
        seconds=candidate.seconds,
        shielded=tuple(prefix + path for path in _SHIELDED),
    )


class View:
    """The configuration as it would be: live files with the candidate laid over them."""

    def __init__(self, candidate: Candidate, machine: Readable) -> None:
        self._contents = {target.path: target.content for target in candidate.targets}
        self._contents.update((c.path, c.after) for c in candidate.changes if c.action != "remove")
        self._gone = {change.path for change in candidate.changes if change.action == "remove"}
        self._machine = machine
        self._added: Dict[str, Set[str]] = {}
        for path in self._contents:
            folder, name = posixpath.split(path)
            while name and name not in self._added.setdefault(folder, set()):  # folders that are still to be made, too
                self._added[folder].add(name)
                folder, name = posixpath.split(folder)

    def has(self, path: str) -> bool:
        return path in self._contents or (path not in self._gone and self._machine.find(path).there)

    def read(self, path: str) -> bytes:
        if path in self._gone:
            raise FileNotFoundError(path)
        return self._contents[path] if path in self._contents else self._machine.read(path)

    def names(self, folder: str) -> Tuple[str, ...]:
        live = {name for name in self._machine.names(folder) if f"{folder}/{name}" not in self._gone}
        return tuple(sorted(live | self._added.get(folder, set())))


def _held(candidate: Candidate, wanted: Sequence[Tuple[str, int]], machine: Readable, find: messages.Mapper) -> List[Finding]:
    """Ports that another program holds: nginx would not take the new configuration, and the trial cannot see it."""
    service = candidate.settings.services["nginx"]
    master = machine.master(service.pid_file)
    found: List[Finding] = []
    for address, port in wanted:
        holder = machine.holder(address, port, master.pid if master else 0)
        if holder and "nginx" not in holder.title:
            message = f"port {port} is held by {holder.title or 'another program'} (pid {holder.pid})"
            at = find.by_pattern(rf"\blisten\s[^;]*(?<!\d){port}(?!\d)")
            found.append(Finding("nginx-listen-held", "error", message, at, "stop that program, or let nginx listen elsewhere"))
    return found


def _missing_main(candidate: Candidate, view: View, machine: Readable) -> List[Finding]:
    """A service that runs would be left without its main file: the next reload or start of it fails."""
    lost = [s for s in candidate.settings.services.values() if machine.master(s.pid_file) and not view.has(s.main)]
    hint = "stop the service first, or keep the file"
    return [
        Finding("main-file-missing", "error", f"{s.name} runs, and its main file {s.main} would be gone", None, hint)
        for s in lost
    ]


def _elsewhere(candidate: Candidate, machine: Readable) -> List[Finding]:
    """A reload would make such a process read its own file again, not ours."""
    hint = "stop it and start the service with its unit, or set main: under services: in deploykit.yml"
    return [
        Finding("runs-elsewhere", "error", f"{service.name} runs with {main}, not with {service.main}", None, hint)
        for service, main in running.elsewhere(candidate.settings.services.values(), machine)
    ]


def _commands(service: Service) -> TrialService:
    return nginx.trial(service) if service.name == "nginx" else php_fpm.trial(service)


def _covered(candidate: Candidate, machine: Readable) -> Tuple[str, ...]:
    roots = [posixpath.dirname(root) if machine.find(root).kind == "file" else root for root in candidate.settings.writable]
    return tuple(dict.fromkeys([*roots, *candidate.folders]))


def _private(prefix: str, coming: Sequence[str]) -> Tuple[str, ...]:
    """Folders in which the services write: empty in the trial, with those that are still to be made in them."""
    known = [prefix + path for path in _PRIVATE]
    return tuple(dict.fromkeys([*known, "/tmp", *(f for f in coming if f.startswith(tuple(known)))]))


def _findings(problems: Sequence[TrialProblem], severity: str, find: messages.Mapper) -> List[Finding]:
    return [finding for problem in problems for finding in find.findings(problem, severity)]


def _name(judge: str, rehearsed: bool) -> str:
    names: Mapping[Tuple[str, bool], str] = {
        ("namespace", True): "started and asked in a private namespace",
        ("namespace", False): "tested in a private namespace",
        ("user namespace", True): "started and asked in a user namespace",
        ("user namespace", False): "tested in a user namespace",
        ("copy", False): "tested on a rewritten copy (absolute includes are judged less well)",
    }
    return names.get((judge, rehearsed), "parsed only")
