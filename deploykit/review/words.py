"""The same words in every format: headlines, counts, what is said of a file."""

from __future__ import annotations

from typing import Iterator, List, Sequence

from deploykit.review.model import EnvironmentChange, FileChange, Placed, Review

VERBS = {"create": "create", "replace": "change", "attributes": "owner or mode", "remove": "remove"}
MARKER = "<!-- deploykit diff -->"
NO_NAME = "configuration"  # where deploykit.yml has no environments
SECRET = "(secret changed)"


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def headline(environment: EnvironmentChange) -> str:
    """``3 files, nginx reload, php-fpm reload, no downtime``."""
    if environment.problem:
        return "cannot be compared"
    if not environment.files:
        return "no change"
    reloads = [f"{service} reload" for service in environment.reloads]
    return ", ".join([counted(len(environment.files), "file"), *reloads, *_downtime(environment)])


def _downtime(environment: EnvironmentChange) -> List[str]:
    """nginx never drops a request when it reloads; php-fpm does where it is told to wait for none."""
    if "php-fpm" not in environment.reloads:
        return ["no downtime"]
    if environment.grace is None:
        return []
    return ["no downtime" if environment.grace else "which cuts requests in progress (process_control_timeout is 0)"]


def total(review: Review) -> str:
    """One line for all environments, without their names."""
    lost = [environment for environment in review.environments if environment.problem]
    with_files = [environment for environment in review.environments if environment.files]
    said = [_total(with_files, len(review.environments))] if with_files or not lost else []
    return "; ".join([*said, *([f"{counted(len(lost), 'environment')} cannot be compared"] if lost else [])])


def _total(changed: Sequence[EnvironmentChange], of: int) -> str:
    if not changed:
        return f"no change in {counted(of, 'environment')}"
    if of == 1:
        return headline(changed[0])
    files = counted(sum(len(environment.files) for environment in changed), "file")
    services = sorted({service for environment in changed for service in environment.reloads})
    where = f"{files} in {len(changed)} of {counted(of, 'environment')}"
    return ", ".join([where, *(f"{service} reload" for service in services), *_worst(changed)])


def _worst(changed: Sequence[EnvironmentChange]) -> Sequence[str]:
    """No downtime only where every environment says so."""
    said = [_downtime(environment) for environment in changed]
    worse = [words for words in said if words != ["no downtime"]]
    return max(worse) if worse else ["no downtime"]


def size(file: FileChange) -> str:
    """``+2 -1``, and what else is to be said of a file."""
    lines = f"+{file.added} -{file.removed}" if file.hunks else ""
    return ", ".join(filter(None, [lines, file.attributes, SECRET[1:-1] if file.secret else "", file.remark]))


def unified(file: FileChange) -> Iterator[str]:
    """The lines of a unified diff, without names of files."""
    for hunk in file.hunks:
        old, new = [row.old for row in hunk if row.old], [row.new for row in hunk if row.new]
        yield f"@@ -{_range(old)} +{_range(new)} @@"
        for row in hunk:
            yield f"{row.sign}{row.text}{f'  {SECRET}' if row.secret else ''}"


def _range(numbers: Sequence[int]) -> str:
    return f"{numbers[0] if numbers else 0},{len(numbers)}"


def finding(placed: Placed) -> str:
    """One finding in a line, with its place."""
    said = placed.finding
    return f"{said.severity}: {f'{said.at}: ' if said.at else ''}{said.message} [{said.rule}]"


def known_before(environment: EnvironmentChange) -> str:
    """How many findings the change does not bring; ``""`` for none."""
    findings = [*environment.findings, *(placed for file in environment.files for placed in file.findings)]
    old = [placed for placed in findings if not placed.new]
    return f"{counted(len(old), 'finding')} as before" if old else ""


def unchanged(review: Review) -> str:
    """Names of the environments without change, in one line; ``""`` when there are none."""
    return ", ".join(environment.name or NO_NAME for environment in review.same)
