"""Findings in the formats that GitLab, editors and other tools read."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Sequence, Tuple
from xml.sax.saxutils import quoteattr

from deploykit import __version__
from deploykit.model import Finding

_GITLAB = {"error": "critical", "warning": "minor", "info": "info"}
_SARIF = {"error": "error", "warning": "warning", "info": "note"}

Judged = Tuple[str, Sequence[Finding]]  # environment (or other subject) and what was found in it


def gitlab(judged: Sequence[Judged]) -> List[Dict[str, Any]]:
    """GitLab's Code Quality report. A fingerprint holds no line, or every shift would make the finding a new one."""
    report: List[Dict[str, Any]] = []
    seen: Dict[str, int] = {}
    for finding in _each_once(judged):
        at = finding.at
        base = f"{finding.rule}\0{at.file if at else ''}\0{finding.message}"
        seen[base] = seen.get(base, 0) + 1
        report.append(
            {
                "description": f"{finding.message}{f' ({finding.hint})' if finding.hint else ''}",
                "check_name": finding.rule,
                "fingerprint": hashlib.sha256(f"{base}\0{seen[base]}".encode()).hexdigest(),
                "severity": _GITLAB[finding.severity],
                "location": {"path": at.file if at else "deploykit.yml", "lines": {"begin": max(at.line, 1) if at else 1}},
            }
        )
    return report


def junit(judged: Sequence[Judged]) -> str:
    """JUnit XML: one test case an environment, file and rule that found something, and one an environment for the rest."""
    suites = [_suite(name, findings) for name, findings in judged]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="deploykit check">\n{"".join(suites)}</testsuites>\n'


def sarif(judged: Sequence[Judged]) -> Dict[str, Any]:
    """SARIF 2.1.0."""
    findings = _each_once(judged)
    rules = [{"id": rule} for rule in sorted({finding.rule for finding in findings})]
    driver = {"name": "deploykit", "version": __version__, "rules": rules}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return {
        "$schema": schema,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": list(map(_result, findings))}],
    }


def _result(finding: Finding) -> Dict[str, Any]:
    result: Dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _SARIF[finding.severity],
        "message": {"text": f"{finding.message}{f' ({finding.hint})' if finding.hint else ''}"},
    }
    if finding.at:
        region = {"startLine": max(finding.at.line, 1), **({"startColumn": finding.at.column} if finding.at.column else {})}
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": finding.at.file}, "region": region}}]
    return result


def _suite(name: str, findings: Sequence[Finding]) -> str:
    failed = [f for f in findings if f.severity == "error"]
    cases: Dict[Tuple[str, str], List[Finding]] = {}
    for finding in findings:
        if finding.severity != "info":
            cases.setdefault((finding.at.file if finding.at else "", finding.rule), []).append(finding)
    body = "".join(_case(name, file, rule, found) for (file, rule), found in cases.items())
    if not cases:
        body = f'    <testcase classname={quoteattr(name)} name="all rules"/>\n'
    failures = len({(f.at.file if f.at else "", f.rule) for f in failed})
    return f'  <testsuite name={quoteattr(name)} tests="{max(len(cases), 1)}" failures="{failures}">\n{body}  </testsuite>\n'


def _case(name: str, file: str, rule: str, found: Sequence[Finding]) -> str:
    text = "\n".join(f"{f.at or '-'}: {f.message}" for f in found)
    title = f"{file}: {rule}" if file else rule
    tag = "failure" if any(f.severity == "error" for f in found) else "system-out"
    inner = f"<failure message={quoteattr(found[0].message)}>{_escaped(text)}</failure>"
    if tag == "system-out":
        inner = f"<system-out>{_escaped(text)}</system-out>"
    return f"    <testcase classname={quoteattr(name)} name={quoteattr(title)}>{inner}</testcase>\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _each_once(judged: Sequence[Judged]) -> List[Finding]:
    return list(dict.fromkeys(finding for _, findings in judged for finding in findings))
