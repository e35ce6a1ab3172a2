"""One side of a comparison: an environment of a bundle as it would be rendered here, or what is live here."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from deploykit import flow
from deploykit.commands import linted
from deploykit.model import Candidate, Change, Request, Settings, Target
from deploykit.review.model import Placed, Rendered, Side
from deploykit.secrets import secret_values
from deploykit.services import pools
from deploykit.stages import trees
from deploykit.stages.plan import Difference, removals
from deploykit.stages.plan import plan as compare
from deploykit.stages.render import render
from deploykit.system.output import Output
from deploykit.system.port import Readable

_FACTS = ("accounts", "ask", "children", "gid", "master", "measure", "tool", "uid", "wall_clock")


class SameFacts:
    """The machine, asked once: what it says meanwhile, the memory of a worker above all, is no change of the bundle's."""

    def __init__(self, machine: Readable) -> None:
        self._machine = machine
        self._known: Dict[Tuple[Any, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._machine, name)
        return functools.partial(self._once, name, found) if name in _FACTS else found

    def _once(self, name: str, ask: Callable[..., Any], *given: Any) -> Any:
        key = (name,) if name == "measure" else (name, *(tuple(one) if isinstance(one, list) else one for one in given))
        if key not in self._known:
            self._known[key] = ask(*given)
        return self._known[key]


class Sides:
    """Makes sides, and remembers what they came from."""

    def __init__(self, machine: Any, output: Output) -> None:
        self._machine = machine
        self._output = output
        self._settings: List[Settings] = []

    def rendered(self, request: Request, former: bool = False) -> Side:
        """What an environment of a bundle becomes here. InvalidInput when it cannot be rendered.

        former: nobody will ask for the templates' lines of its findings, which take long to find out.
        """
        settings, targets = self._render(request)
        record = flow.read_record(request.prefix, self._machine)
        gone = [removal.path for removal in removals(settings, targets, record)]
        tree = trees.live(settings.services, self._machine)
        tree.update((target.path, target.content) for target in targets)
        for path in gone:
            tree.pop(path, None)
        return Side(
            files={target.path: _rendered(target) for target in targets},
            removed={path: (service, f"listed under remove: in {at}") for path, service, at in settings.remove},
            findings=self._former(tree, settings) if former else self._findings(tree, settings, targets),
            grace=_grace(tree, settings),
        )

    def live(self, request: Request) -> Tuple[Side, Side]:
        """What is live here where it differs, and what it would become."""
        settings, targets = self._render(request)
        found = compare(settings, targets, flow.read_record(request.prefix, self._machine), self._machine)
        tree = trees.live(settings.services, self._machine)
        wanted = trees.candidate(Candidate(settings, targets, found.changes), self._machine)
        files = {change.path: _found(change) for change in found.changes if change.found.there}
        before = Side(files, findings=self._former(tree, settings), grace=_grace(tree, settings))
        return before, replace(_wanted(found), findings=self._findings(wanted, settings, targets))

    def secrets(self) -> Sequence[str]:
        """All that is secret on any side: what one side calls so is not to be seen on another either."""
        named = tuple(dict.fromkeys(name for settings in self._settings for name in settings.secrets))
        for settings in self._settings:
            self._output.hide(secret_values(replace(settings, secrets=named)))
        return self._output.secrets

    def assumed(self) -> Tuple[str, ...]:
        """What could not be found on this machine, as sentences."""
        return tuple(dict.fromkeys(note for settings in self._settings for note in settings.facts.get("assumed", ())))

    def _render(self, request: Request) -> Tuple[Settings, Tuple[Target, ...]]:
        settings = flow.settle(request, self._machine, self._output)
        self._settings.append(settings)
        return settings, render(settings, self._machine)

    def _former(self, tree: Mapping[str, bytes], settings: Settings) -> List[Placed]:
        return [Placed(f, f.at.file if f.at else "") for f in linted.findings(tree, settings.services, self._machine)]

    def _findings(self, tree: Mapping[str, bytes], settings: Settings, targets: Tuple[Target, ...]) -> List[Placed]:
        found = linted.findings(tree, settings.services, self._machine)
        placed = linted.at_templates(found, settings, targets, self._machine)
        return [Placed(finding, at.file if at else "", at.line if at else 0) for finding, at in placed]


def _rendered(target: Target) -> Rendered:
    owner = f" {target.owner or '-'}:{target.group or '-'}" if target.owner or target.group else ""
    return Rendered(target.path, target.service, target.template, target.content, f"{target.mode:04o}{owner}")


def _found(change: Change) -> Rendered:
    found = change.found
    remark = f"it was a symbolic link to {found.link}" if found.kind == "symlink" else ""
    attributes = f"{found.mode:04o} {found.uid}:{found.gid}"
    return Rendered(change.path, change.service, change.template, change.before, attributes, remark)


def _wanted(found: Difference) -> Side:
    files = {
        c.path: Rendered(c.path, c.service, c.template, c.after, f"{c.mode:04o} {c.uid}:{c.gid}")
        for c in found.changes
        if c.action != "remove"
    }
    removed = {c.path: (c.service, c.reason) for c in found.changes if c.action == "remove"}
    return Side(files, removed, unchanged=found.unchanged)


def _grace(tree: Mapping[str, bytes], settings: Settings) -> Optional[int]:
    main = tree.get(settings.services["php-fpm"].main)
    return None if main is None else pools.control_timeout(main.decode("utf-8", "replace"))
