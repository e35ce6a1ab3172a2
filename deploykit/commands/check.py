"""``deploykit check``: judge a candidate, the live machine, an existing tree or an appspec.yml; nothing is changed."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from deploykit import flow
from deploykit.commands import asked, linted
from deploykit.errors import InvalidInput, Location, Refused, UsageError
from deploykit.model import Candidate, Finding, Request, Service
from deploykit.stages import formats, report, trees
from deploykit.stages.gather import gather
from deploykit.stages.load import load
from deploykit.system.output import Output
from deploykit.system.read_only import ReadOnlyMachine
from deploykit.system.signals import Watch

SECONDS = 600.0
AGENTS = {"v1": ("v1",), "v2": ("v2",), "both": ("v1", "v2")}


def run(arguments: argparse.Namespace, door: Callable[[Watch], Any], output: Output) -> int:
    """Print every finding with its place. Returns 0, or 3 when one of them is an error."""
    with Watch(SECONDS) as watch:
        check = _Check(arguments, ReadOnlyMachine(door(watch)), output)
        judged = check.everything()
    _document(arguments.format, judged, output)
    wrong = any(finding.severity == "error" for _, findings in judged for finding in findings)
    return Refused.status if wrong else 0


class _Check:
    """One call of the command. Every way gives (name of what was judged, findings)."""

    def __init__(self, arguments: argparse.Namespace, machine: Any, output: Output) -> None:
        self._arguments = arguments
        self._machine = machine
        self._output = output

    def everything(self) -> List[formats.Judged]:
        """Judge what was asked for, and say it."""
        chosen = self._arguments
        if chosen.appspec:
            return [self._appspec(chosen.appspec)]
        if chosen.tree:
            return [self._tree(os.path.abspath(chosen.tree))]
        if chosen.live:
            return [self._live()]
        request = asked.request(chosen, "AfterInstall")
        names = tuple(load(request.bundle, self._machine).environments) if chosen.all else ()
        return [self._environment(replace(request, environment=name)) for name in names or (request.environment,)]

    def _appspec(self, path: str) -> formats.Judged:
        from deploykit.appspec.reader import judge

        try:
            raw = self._machine.read(path)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        found = judge(raw, path, AGENTS[self._arguments.agent]).findings
        return self._say(path, found, f"as agent {self._arguments.agent} reads it")

    def _tree(self, folder: str) -> formats.Judged:
        services = self._services()
        files, shown = trees.existing(folder, services, self._machine)
        found = self._lint(files, services, folder)
        placed = [replace(f, at=_shown(f.at, shown)) for f in found]
        return self._say(self._arguments.tree, placed, "rules alone: nothing was started")

    def _live(self) -> formats.Judged:
        services = self._services()
        return self._say(
            "live", self._lint(trees.live(services, self._machine), services, ""), "rules alone: nothing was started"
        )

    def _environment(self, request: Request) -> formats.Judged:
        candidate, verdict = flow.judge(request, self._machine, self._output)
        for note in verdict.notes:
            self._output.say(f"note: {note}", "dim")
        name = candidate.settings.environment or "candidate"
        return self._say(name, [*verdict.findings, *self._rules(candidate)], f"judge: {verdict.judge}")

    def _rules(self, candidate: Candidate) -> List[Finding]:
        """Findings at the templates' lines; what is wrong in other people's files is theirs."""
        found = self._lint(trees.candidate(candidate, self._machine), candidate.settings.services, "")
        placed = linted.at_templates(found, candidate.settings, candidate.targets, self._machine)
        return [finding for finding, _ in placed]

    def _lint(self, files: Mapping[str, bytes], services: Mapping[str, Service], folder: str) -> Tuple[Finding, ...]:
        told = linted.Told(self._facts(), self._arguments.facts or "--facts")
        return linted.findings(files, services, self._machine, told, folder)

    def _services(self) -> Mapping[str, Service]:
        """Where the services' files are, or would be; the options win."""
        given: Dict[str, Dict[str, str]] = {"nginx": {}, "php-fpm": {}}
        if self._arguments.nginx_root:
            given["nginx"] = {"root": self._arguments.nginx_root, "main": self._arguments.nginx_root + "/nginx.conf"}
        if self._arguments.php_fpm_root:
            given["php-fpm"] = {"root": self._arguments.php_fpm_root, "main": self._arguments.php_fpm_root + "/php-fpm.conf"}
        return gather(given, self._arguments.root, self._machine).services

    def _facts(self) -> Mapping[str, Any]:
        path = self._arguments.facts
        if not path:
            return {}
        from deploykit.config.scalars import free_form
        from deploykit.config.source import read_file

        node = read_file(os.path.abspath(path), path, self._machine)
        if node is None:
            raise UsageError(f"{path}: there is no such file")
        facts = free_form(node)
        if not isinstance(facts, dict):
            raise InvalidInput("the facts must be a map", at=Location(path), hint="write accounts: [www-data], one fact a line")
        return facts

    def _say(self, name: str, found: Sequence[Finding], how: str) -> formats.Judged:
        for finding in found:
            place = f"{finding.at}: " if finding.at else ""
            colour = {"error": "red", "warning": "yellow"}.get(finding.severity, "dim")
            self._output.say(f"{finding.severity}: {place}{finding.message} [{finding.rule}]", colour)
            if finding.hint:
                self._output.say(f"  hint: {finding.hint}", "dim")
        counts = {s: sum(f.severity == s for f in found) for s in ("error", "warning", "info")}
        said = ", ".join(f"{n} {s}{'s' * (n != 1)}" for s, n in counts.items() if n) or "ok"
        self._output.say(f"{name}: {said}; {how}", "red" if counts["error"] else "green")
        return name, found


def _shown(at: Optional[Location], shown: Mapping[str, str]) -> Optional[Location]:
    return Location(shown.get(at.file, at.file), at.line, at.column) if at else None


def _document(kind: str, judged: Sequence[formats.Judged], output: Output) -> None:
    if kind == "json":
        by_subject = {name: [report.finding_document(finding) for finding in found] for name, found in judged}
        output.document({"findings": [one for found in by_subject.values() for one in found], "judged": by_subject})
    elif kind == "gitlab":
        output.document(formats.gitlab(judged))
    elif kind == "sarif":
        output.document(formats.sarif(judged))
    elif kind == "junit":
        output.text(formats.junit(judged))
