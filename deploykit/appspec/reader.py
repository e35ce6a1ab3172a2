"""Judge an appspec.yml: what agents v1 and v2 make of it, and what they do otherwise than it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from deploykit.appspec import lint_bundle, lint_file, lint_files, lint_hooks, lint_keys, lint_permissions, psych, v1, v2
from deploykit.appspec.catalogue import AGENTS, RULES, finding
from deploykit.appspec.document import Tree
from deploykit.appspec.spec import Appspec
from deploykit.appspec.subject import BundleFiles, Subject
from deploykit.appspec.verdict import Rejection
from deploykit.errors import InvalidInput
from deploykit.model import Finding

_READERS = {"v1": v1.read, "v2": v2.read}
_PAGES = (lint_file, lint_keys, lint_hooks, lint_files, lint_permissions, lint_bundle)


@dataclass(frozen=True)
class Report:
    """The word on one appspec.yml.

    findings: in the order of the file, an agent's refusal before lesser things in the same place.
    appspec: as the first of ``agents`` that accepts the file understands it; None where none does.
    accepted: what each agent that was asked for says to the file as a whole.
    """

    findings: Tuple[Finding, ...]
    appspec: Optional[Appspec]
    accepted: Mapping[str, bool] = field(default_factory=dict)

    @property
    def errors(self) -> Tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "error")


def judge(
    raw: bytes, file: str = "appspec.yml", agents: Sequence[str] = AGENTS, bundle: Optional[BundleFiles] = None
) -> Report:
    """All findings about these bytes. Never raises, whatever they are.

    file: the path as the user knows it, for the places and for the rule about its name. agents: ``v1``, ``v2`` or both;
    findings that are about no other agent than those left out are not made. bundle: for the rules about scripts and sources.
    """
    try:
        tree = psych.parse(raw, file)
    except psych.TooDeepError as problem:
        message = "more than 200 lists and maps inside each other: this is no appspec"
        return Report((finding("appspec-too-deep", message, problem.at),), None, dict.fromkeys(agents, False))
    findings, read = _verdicts(tree, file, agents)
    findings += _lints(Subject(raw, file, tree, tuple(agents), bundle))
    accepted = {agent: read[agent] is not None for agent in agents}
    understood = [appspec for appspec in read.values() if appspec is not None]
    return Report(tuple(sorted(findings, key=_order)), understood[0] if understood else None, accepted)


def read(raw: bytes, file: str = "appspec.yml") -> Appspec:
    """The appspec as agent v1 understands it, or v2 where only v2 accepts it. Raises ``InvalidInput`` where neither does."""
    report = judge(raw, file)
    if report.appspec is None:
        first = report.errors[0]
        raise InvalidInput(first.message, at=first.at, hint=first.hint)
    return report.appspec


def _verdicts(tree: Tree, file: str, agents: Sequence[str]) -> Tuple[List[Finding], Mapping[str, Optional[Appspec]]]:
    findings: List[Finding] = []
    understood: dict[str, Optional[Appspec]] = {}
    for agent in agents:
        try:
            understood[agent] = _READERS[agent](tree, file)
        except Rejection as no:
            understood[agent] = None
            message = f"agent {agent} rejects the whole appspec: {no.message}"
            findings.append(finding(f"appspec-rejected-{agent}-{no.why}", message, no.at, no.hint))
    return findings, understood


def _lints(subject: Subject) -> Iterator[Finding]:
    for page in _PAGES:
        for one in page.check(subject):
            if set(RULES[one.rule].agents) & set(subject.agents):
                yield one


def _order(one: Finding) -> Tuple[int, int, int, str]:
    line, column = (one.at.line, one.at.column) if one.at else (0, 0)
    return line, column, 0 if one.rule.startswith("appspec-rejected") else 1, one.rule
