"""appspec.yml and what it names, judged by what travels and not by what lies in the checkout."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, Set, Tuple

from deploykit.appspec.reader import judge
from deploykit.appspec.subject import BundleFiles, inside
from deploykit.bundle.entry import Entry
from deploykit.errors import InvalidInput, Location
from deploykit.model import Finding

APPSPEC = "appspec.yml"
# Without these a hook starts nothing, or starts it unproved.
ESSENTIAL = ("run.py", "hooks/_run.sh", "deploykit/cli.py", "deploykit/bundle/verify.py", "deploykit.yml")


def judged(entries: Mapping[str, Entry]) -> Tuple[List[Finding], Tuple[str, ...]]:
    """(Findings about appspec.yml and its scripts, paths of the scripts). Raises InvalidInput when there is no appspec.yml."""
    if APPSPEC not in entries:
        hint = "CodeDeploy needs one at the top of the revision; look whether .deployignore leaves it out"
        raise InvalidInput("there is no such file", at=Location(APPSPEC), hint=hint)
    known = set(entries) | _folders(entries)

    def read(path: str) -> bytes:
        if path not in entries:
            raise IsADirectoryError(path)
        return entries[path].read()

    report = judge(entries[APPSPEC].read(), APPSPEC, bundle=BundleFiles(lambda path: path in known, read))
    hooks = report.appspec.hooks if report.appspec else {}
    scripts = {inside(script.location) for event in hooks.values() for script in event}
    return list(report.findings), tuple(sorted(scripts & set(entries)))


def line_ends(entries: Mapping[str, Entry], scripts: Tuple[str, ...]) -> Iterator[Finding]:
    """CR LF anywhere in a hook; ``judged`` only looks at the first line of those that appspec.yml names."""
    for path in sorted({*scripts, *(path for path in entries if path.startswith("hooks/"))}):
        text = entries[path].read()
        first = text.find(b"\r\n")
        if first < 0 or text.startswith(b"\x7fELF") or b"\0" in text:
            continue
        if path in scripts and b"\n" not in text[:first] and text.startswith(b"#!"):
            continue  # said already
        at = Location(path, text.count(b"\n", 0, first) + 1)
        message = "line ends of Windows (CR LF): the shell takes the CR for a part of the command"
        yield Finding("bundle-crlf", "error", message, at, "save it with LF line ends; in .gitattributes: hooks/* text eol=lf")


def missing(entries: Mapping[str, Entry], environments: Mapping[str, Location]) -> Iterator[Finding]:
    """What deploykit cannot do without. environments: path of a file of variables to the place that names it."""
    for path in ESSENTIAL:
        if path not in entries:
            hint = "look whether .deployignore leaves it out; else copy it anew from deploykit"
            yield Finding("bundle-missing", "error", "not in the bundle, and nothing runs without it", Location(path), hint)
    for path, at in environments.items():
        if path not in entries:
            hint = "correct the path, or look whether .deployignore leaves it out"
            yield Finding("bundle-missing", "error", f"{path} is not in the bundle", at, hint)
    if not any(path.startswith("config_templates/") for path in entries):
        yield Finding("bundle-templates", "warning", "no file below config_templates/: nothing will be configured")


def _folders(entries: Mapping[str, Entry]) -> Set[str]:
    found: Set[str] = set()
    for path in entries:
        parts = path.split("/")
        found.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    return found


def by_path(*groups: Iterable[Entry]) -> Dict[str, Entry]:
    """Entries by path; the first of two with one path stays."""
    found: Dict[str, Entry] = {}
    for group in groups:
        for entry in group:
            found.setdefault(entry.path, entry)
    return found
