"""Small documents with the verdict of each agent and the findings: ``tests/cases/appspec/*.txt``.

A file holds many cases: ``== name``, then ``v1:`` and ``v2:`` (``accepts``, ``rejects REASON`` or ``-`` where it is not told),
``findings:`` (rule without ``appspec-``, colon, line; refusals left out), then ``--`` and the document. ``{BOM}`` and the like
stand for characters that an editor would lose. The verdicts of v1 were measured with the agent's own parser.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterator, NamedTuple

import pytest

from deploykit.appspec.catalogue import RULES
from deploykit.appspec.reader import judge

CASES = Path(__file__).parent.parent / "cases" / "appspec"
NAMES = {"{BOM}": b"\xef\xbb\xbf", "{CR}": b"\r", "{TAB}": b"\t", "{NUL}": b"\0", "{BEL}": b"\a", "{E9}": b"\xe9"}


class Case(NamedTuple):
    name: str
    expected: Dict[str, str]
    document: bytes


def cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.txt")):
        for part in re.split("^== ", path.read_bytes().decode("utf-8"), flags=re.MULTILINE)[1:]:
            head, _, document = part.partition("\n--\n")
            name, *lines = head.split("\n")
            expected = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
            raw = document.encode()
            for token, real in NAMES.items():
                raw = raw.replace(token.encode(), real)
            yield Case(f"{path.stem}: {name}", expected, raw)


ALL = list(cases())


def verdict(raw: bytes, agent: str) -> str:
    report = judge(raw)
    refusals = [
        one.rule.split(f"-{agent}-", 1)[1] for one in report.findings if one.rule.startswith(f"appspec-rejected-{agent}-")
    ]
    assert report.accepted[agent] == (not refusals)
    return "rejects " + refusals[0] if refusals else "accepts"


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_document(case: Case) -> None:
    for agent in ("v1", "v2"):
        if case.expected[agent] != "-":
            assert verdict(case.document, agent) == case.expected[agent]
    lints = [one for one in judge(case.document).findings if "-rejected-" not in one.rule]
    assert (
        " ".join(f"{one.rule[len('appspec-') :]}:{one.at.line if one.at else 0}" for one in lints) == case.expected["findings"]
    )


def test_what_both_accept_as_it_is_written_has_no_error() -> None:
    plain = next(case for case in ALL if case.name == "file: plain and right")
    assert judge(plain.document).findings == ()


def test_every_refusal_of_the_catalogue_has_a_document() -> None:
    seen = {one.rule for case in ALL for one in judge(case.document).findings}
    needs_more = {"appspec-file-name"} | {rule.id for rule in RULES.values() if rule.needs}
    assert set(RULES) - needs_more - seen == set()


@pytest.mark.parametrize("agent", ["v1", "v2"])
def test_a_rule_about_the_other_agent_is_silent(agent: str) -> None:
    for case in ALL:
        for one in judge(case.document, agents=(agent,)).findings:
            assert agent in RULES[one.rule].agents
