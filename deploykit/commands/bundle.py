"""``deploykit bundle``: the checkout and everything it needs, as the one zip that CodeDeploy deploys."""

from __future__ import annotations

import argparse
import os
from typing import Any, Callable, Dict, List

from deploykit.bundle.build import Bundle, Collected, Wanted, build, collect
from deploykit.errors import InvalidInput, Refused, UsageError
from deploykit.model import Finding
from deploykit.stages import report
from deploykit.stages.load import NAME, load
from deploykit.system.output import Output
from deploykit.system.port import Readable
from deploykit.system.signals import Watch

_COLOURS = {"error": "red", "warning": "yellow", "info": "dim"}


def run(arguments: argparse.Namespace, door: Callable[[Watch], Readable], output: Output) -> int:
    """Write the zip and tell what is in it. Returns 0; 3 when a file must not travel, 65 when appspec.yml is wrong."""
    source = os.path.abspath(arguments.source or arguments.bundle)
    if not os.path.isdir(source):
        raise UsageError(f"--source: {source} is no folder")
    wanted = Wanted(
        source=source,
        output=os.path.abspath(arguments.output),
        config=load(source, door(Watch(0))),
        cache=os.path.abspath(arguments.cache or _cache(os.environ)),
        allowed=tuple(arguments.allow),
        sbom=os.path.abspath(arguments.sbom) if arguments.sbom else "",
        environment=dict(os.environ),
    )
    _check_folders(wanted)
    collected = collect(wanted, output.progress)
    for finding in collected.findings:
        _say(finding, output)
    if collected.errors:
        return _refused(collected, arguments, output)
    built = build(wanted, collected, output.progress)
    _tell(built, output)
    if arguments.json:
        output.document({**_document(built), "findings": _findings(collected)})
    return 0


def _check_folders(wanted: Wanted) -> None:
    for option, path in (("-o", wanted.output), ("--sbom", wanted.sbom)):
        if path and (os.path.isdir(path) or not os.path.isdir(os.path.dirname(path))):
            raise UsageError(f"{option}: {path} is a folder, or its folder is not there")
    if wanted.output == os.path.join(wanted.source, NAME):
        raise UsageError("-o would overwrite what is to be bundled")


def _cache(environment: Any) -> str:
    """Where wheels are kept between builds, as other tools choose it."""
    home = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME") or "/tmp", ".cache")
    return os.path.join(home, "deploykit", "wheels")


def _refused(collected: Collected, arguments: argparse.Namespace, output: Output) -> int:
    count = len(collected.errors)
    output.say(f"{count} error{'s' * (count != 1)}: no bundle was written", "red")
    if arguments.json:
        output.document({"findings": _findings(collected)})
    return InvalidInput.status if any(one.rule.startswith("appspec-") for one in collected.errors) else Refused.status


def _say(finding: Finding, output: Output) -> None:
    place = f"{finding.at}: " if finding.at else ""
    output.say(f"{finding.severity}: {place}{finding.message} [{finding.rule}]", _COLOURS[finding.severity])
    if finding.hint:
        output.say(f"  hint: {finding.hint}", "dim")


def _tell(built: Bundle, output: Output) -> None:
    output.say("what weighs most, zipped:")
    for path, size, files in built.heaviest:
        output.say(f"  {_size(size):>9}  {path}{f'  ({files} files)' if files > 1 else ''}")
    output.say(f"{built.path}: {_size(built.size)}, {built.files} files, {_size(built.unpacked)} unpacked", "green")
    output.say(f"sha256 {built.sha256}; of its manifest {built.manifest}", "dim")


def _size(number: int) -> str:
    return f"{number / 1e6:.2f} MB" if number >= 100_000 else f"{number / 1e3:.1f} kB"


def _findings(collected: Collected) -> List[Any]:
    return [report.finding_document(finding) for finding in collected.findings]


def _document(built: Bundle) -> Dict[str, Any]:
    return {
        "bundle": built.path,
        "sha256": built.sha256,
        "manifest_sha256": built.manifest,
        "bytes": built.size,
        "unpacked_bytes": built.unpacked,
        "files": built.files,
        "heaviest": [{"path": path, "bytes": size, "files": files} for path, size, files in built.heaviest],
    }
