"""The review for programs: one JSON document, or what GitLab's widget for reports:terraform counts."""

from __future__ import annotations

from typing import Any, Dict

from deploykit.review import words
from deploykit.review.model import EnvironmentChange, FileChange, Placed, Review
from deploykit.stages.report import finding_document


def document(review: Review) -> Dict[str, Any]:
    """All of it."""
    return {
        "against": review.against,
        "changed": bool(review.changed),
        "summary": words.total(review),
        "totals": review.totals(),
        "notes": list(review.notes),
        "environments": [_environment(environment) for environment in review.environments],
    }


def terraform(review: Review) -> Dict[str, int]:
    """``create``, ``update`` and ``delete``: files over all environments."""
    return review.totals()


def _environment(environment: EnvironmentChange) -> Dict[str, Any]:
    return {
        "name": environment.name or None,
        "changed": environment.changed,
        "summary": words.headline(environment),
        "reload": list(environment.reloads),
        "unchanged": environment.unchanged,
        "files": [_file(file) for file in environment.files],
        "findings": [_finding(placed) for placed in (*environment.findings, *_of_files(environment))],
        "notes": list(environment.notes),
        "problem": environment.problem or None,
    }


def _of_files(environment: EnvironmentChange) -> Any:
    return (placed for file in environment.files for placed in file.findings)


def _file(file: FileChange) -> Dict[str, Any]:
    return {
        "action": file.action,
        "path": file.path,
        "service": file.service,
        "template": file.template or None,
        "attributes": file.attributes or None,
        "remark": file.remark or None,
        "added": file.added,
        "removed": file.removed,
        "secret_changed": file.secret,
        "diff": list(words.unified(file)),
    }


def _finding(placed: Placed) -> Dict[str, Any]:
    live = {"path": placed.path or None, "rendered_line": placed.line or None}
    return {**finding_document(placed.finding), **live, "new": placed.new}
