"""What the rules say about a tree of files, for every command that asks them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from deploykit.errors import Location
from deploykit.model import Finding, Service, Settings, Target
from deploykit.rules.rule import Surroundings
from deploykit.stages.lint import lint
from deploykit.stages.render import locator
from deploykit.stages.stock import stock
from deploykit.stages.surroundings import surroundings
from deploykit.system.port import Readable


@dataclass(frozen=True)
class Told:
    """Facts that the user gives to the rules, and the file that they are in."""

    facts: Mapping[str, Any]
    at: str = "--facts"


NOTHING = Told({})


def findings(
    files: Mapping[str, bytes], services: Mapping[str, Service], machine: Readable, told: Told = NOTHING, folder: str = ""
) -> Tuple[Finding, ...]:
    """What all rules find in files by live path, at their paths and lines.

    folder: a tree from elsewhere, which includes files of nginx's packages without having them; ``""`` for this machine's.
    """
    around = surroundings(services, told.facts, machine, told.at)
    mains = {name: service.main for name, service in services.items()}
    return lint(files, mains, around, _outside(services, machine, around, folder))


def at_templates(
    found: Tuple[Finding, ...], settings: Settings, targets: Tuple[Target, ...], machine: Readable
) -> List[Tuple[Finding, Optional[Location]]]:
    """Findings at the templates' lines, each with its place in the rendered file.

    What is wrong in other people's files is theirs, and left out.
    """
    locate = locator(settings, machine)
    ours: Dict[str, Target] = {target.path: target for target in targets}
    kept = [finding for finding in found if finding.at is None or finding.at.file in ours]
    return [(replace(f, at=locate(ours[f.at.file], f.at.line)) if f.at else f, f.at) for f in kept]


def _outside(
    services: Mapping[str, Service], machine: Readable, around: Surroundings, folder: str
) -> Callable[[str], Optional[bytes]]:
    root = services["nginx"].root
    within = tuple(service.root + "/" for service in services.values())

    def outside(path: str) -> Optional[bytes]:
        if not folder or not path.startswith(within):
            if machine.find(path).kind == "file":
                return machine.read(path)
            return None if around.accounts is not None else b""
        return stock(path, root)

    return outside
