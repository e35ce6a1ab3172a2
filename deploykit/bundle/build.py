"""Build the bundle: collect, judge, fetch, write. One call for each, so that what is refused costs no download."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from deploykit.bundle import archive, private, sbom, scripts, tree, vendor, wheels
from deploykit.bundle.entry import EXECUTABLE, Entry, made
from deploykit.bundle.ignore import NAME as IGNORE
from deploykit.bundle.ignore import Patterns, ignored
from deploykit.bundle.lock import BUILD_ONLY, PATH, PYTHONS, Locked, parse, targets
from deploykit.bundle.verify import sha256
from deploykit.config.document import Config
from deploykit.errors import InvalidInput, Location, Refused
from deploykit.model import Finding

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PARTS = ("deploykit", "hooks", "run.py")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What to build. source: the checkout. output: path of the zip. allowed: patterns of files that are no secrets.

    cache: where wheels are kept. config: the checkout's deploykit.yml. environment: for SOURCE_DATE_EPOCH.
    """

    source: str
    output: str
    config: Config
    cache: str
    allowed: Tuple[str, ...] = ()
    sbom: str = ""
    environment: Mapping[str, str] = ()  # type: ignore[assignment]


@dataclass(frozen=True)
class Collected:
    """The checkout's files that travel, and the word on them. scripts: those that appspec.yml names."""

    entries: Mapping[str, Entry]
    findings: Tuple[Finding, ...]
    scripts: Tuple[str, ...] = ()

    @property
    def errors(self) -> Tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "error")


@dataclass(frozen=True)
class Bundle:
    """What was built. manifest: SHA-256 of its MANIFEST.sha256, which is what a signature would be about.

    heaviest: rows of (path, compressed bytes, files).
    """

    path: str
    sha256: str
    manifest: str
    size: int
    unpacked: int
    files: int
    heaviest: Tuple[Tuple[str, int, int], ...]


def collect(wanted: Wanted, tell: Tell) -> Collected:
    """What of the checkout travels, with every reason to refuse it. Parts of deploykit that it lacks are those that run now."""
    patterns = ignored(_text(wanted.source, IGNORE))
    skip = {os.path.abspath(path) for path in (wanted.output, f"{wanted.output}.part", wanted.sbom) if path}
    found = tree.walk(wanted.source, patterns, skip, tell)
    entries = scripts.by_path(found.entries, *(_own(part, wanted.source, tell) for part in _PARTS))
    judged, called = scripts.judged(entries)
    files = {one.file.text: one.file.at for one in wanted.config.environments.values() if one.file}
    findings: List[Finding] = [*found.findings, *tree.modes(found), *tree.foreign_names(found), *judged]
    findings += scripts.line_ends(entries, called)
    findings += scripts.missing(entries, {path: at for path, at in files.items() if not path.startswith("/")})
    findings += private.findings(entries.values(), Patterns(wanted.allowed, "--allow"))
    findings += _places(entries)
    return Collected(entries, tuple(findings), called)


def build(wanted: Wanted, collected: Collected, tell: Tell) -> Bundle:
    """Fetch the libraries and write the zip. Raises Failed, Refused or ToolMissing; a zip that was there before stays then."""
    libraries = vendor.build(wheels.fetch(_locked(collected), targets((PYTHONS[0], PYTHONS[-1])), wanted.cache, tell))
    bill = sbom.dump(wanted.config.application.text if wanted.config.application else "", libraries)
    entries = [_with_mode(entry, collected.scripts) for entry in collected.entries.values()]
    entries += [entry for library in libraries for entry in library.entries]
    entries.append(made(sbom.NAME, bill))
    _shadowed(entries)
    sizes, manifest = archive.write(wanted.output, entries, archive.date(wanted.environment), tell)
    if wanted.sbom:
        with open(wanted.sbom, "wb") as file:
            file.write(bill)
    return Bundle(
        path=wanted.output,
        sha256=sha256(wanted.output),
        manifest=manifest,
        size=os.path.getsize(wanted.output),
        unpacked=sum(entry.size for entry in entries),
        files=len(sizes),
        heaviest=tuple(archive.heaviest(sizes)),
    )


def _locked(collected: Collected) -> Tuple[Locked, ...]:
    """The lock that travels with the program, not that of the program that builds."""
    if PATH not in collected.entries:
        hint = "look whether .deployignore leaves it out; in deploykit's own repository make lock writes it"
        raise InvalidInput("there is no such file, and so no libraries", at=Location(PATH), hint=hint)
    return tuple(one for one in parse(collected.entries[PATH].read().decode("utf-8")) if one.name not in BUILD_ONLY)


def _own(part: str, source: str, tell: Tell) -> Sequence[Entry]:
    """A part of deploykit from where this program is, when the checkout has none."""
    here = os.path.join(os.path.dirname(PACKAGE), part)
    if os.path.lexists(os.path.join(source, part)) or not os.path.exists(here):
        return ()
    if os.path.isfile(here):
        return (Entry(part, source=here, size=os.path.getsize(here)),)
    return tree.walk(here, ignored(""), set(), tell, below=f"{part}/").entries


def _with_mode(entry: Entry, called: Tuple[str, ...]) -> Entry:
    """What the agent starts is executable, whatever the checkout's file system can say about it."""
    if entry.path not in called:
        return entry
    return Entry(entry.path, EXECUTABLE, entry.source, entry.content, entry.size)


def _places(entries: Mapping[str, Entry]) -> List[Finding]:
    """Files where the libraries will be."""
    taken = [path for path in entries if path.startswith(("vendor/lib/", "vendor/aarch64/", "vendor/x86_64/"))]
    hint = "call the folder otherwise, or write it into .deployignore: the build puts deploykit's libraries there"
    return [Finding("bundle-vendor", "error", "its folder is taken", Location(path), hint) for path in taken[:1]]


def _shadowed(entries: Sequence[Entry]) -> None:
    """Nothing at the top may be called like a library: whatever comes first in the search would win."""
    names: Dict[str, str] = {}
    for entry in entries:
        parts = entry.path.split("/")
        if parts[0] == "vendor" and len(parts) > 3 and not parts[2].endswith(".dist-info"):
            names.setdefault(parts[2], "/".join(parts[:3]))
    for entry in entries:
        top = entry.path.partition("/")[0]
        if top.removesuffix(".py") in names:
            message = f"{top} at the top of the bundle is called like the library in {names[top.removesuffix('.py')]}"
            raise Refused(message, at=Location(entry.path), hint="call it otherwise")


def _text(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""
