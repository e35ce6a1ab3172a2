"""``deploykit diff``: what a change does to every environment's files, for whoever reviews it; nothing is changed."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import Any, Callable, Dict, List, Sequence, Tuple

from deploykit.commands import asked
from deploykit.commands.sides import SameFacts, Sides
from deploykit.errors import InvalidInput, UsageError
from deploykit.model import Request
from deploykit.review import words
from deploykit.review.compare import compare
from deploykit.review.model import EnvironmentChange, Review, Side
from deploykit.stages.load import NAME, load
from deploykit.system import revision
from deploykit.system.output import Output, to_people
from deploykit.system.port import Readable
from deploykit.system.read_only import ReadOnlyMachine
from deploykit.system.signals import Watch

SECONDS = 600.0
WOULD_CHANGE = 2
NEEDED = (NAME, "appspec.yml", "config_templates")
Pair = Tuple[str, Side, Side]  # environment, before, after


def run(arguments: argparse.Namespace, door: Callable[[Watch], Any], output: Output) -> int:
    """Compare, and tell it in the format that was asked for. Returns 0, or 2 for a difference if asked so."""
    _check(arguments)
    with Watch(SECONDS) as watch:
        review = _Comparison(arguments, SameFacts(ReadOnlyMachine(door(watch))), output).review()
    _tell(review, arguments, output)
    return WOULD_CHANGE if arguments.detailed_exitcode and review.changed else 0


def _check(arguments: argparse.Namespace) -> None:
    if arguments.between and (arguments.environments or arguments.all):
        raise UsageError("--between names its environments itself", hint="leave out --env and --all")


class _Comparison:
    """One call of the command."""

    def __init__(self, arguments: argparse.Namespace, machine: Any, output: Output) -> None:
        self._arguments = arguments
        self._machine = machine
        self._sides = Sides(machine, output)
        self._output = output
        self._request = asked.request(arguments, "AfterInstall")

    def review(self) -> Review:
        """Both sides of every environment first: what is secret in one of them is hidden in all."""
        if self._arguments.between:
            against, pairs = self._between()
        elif self._arguments.live:
            against, pairs = "what is live on this machine", [self._live(name) for name in self._names(live=True)]
        else:
            against, pairs = self._from()
        secrets, known = self._sides.secrets(), not self._arguments.live
        changes: List[EnvironmentChange] = [compare(*pair, secrets, known) for pair in pairs]
        return Review(against, tuple(changes), self._sides.assumed())

    def _between(self) -> Tuple[str, List[Pair]]:
        one, other = self._arguments.between
        return f"environment {one}", [(other, self._rendered(one), self._rendered(other))]

    def _live(self, name: str) -> Pair:
        return (name, *self._sides.live(replace(self._request, environment=name)))

    def _from(self) -> Tuple[str, List[Pair]]:
        bundle = self._request.bundle
        base = revision.base(bundle, self._arguments.former, os.environ)
        self._output.progress(f"reading {base.commit[:12]}")
        with revision.former(bundle, base.commit) as former:
            former.take(NEEDED)
            before = _Former(replace(self._request, bundle=former.folder), self._machine, self._sides)
            former.take(before.files)
            names = self._names()
            pairs = [(name, before.side(name), self._rendered(name)) for name in names]
            pairs += [(name, before.side(name), _GONE) for name in before.names if name not in names and not self._chosen()]
        return f"{base.commit[:12]} ({base.told})", [before.told(pair) for pair in pairs]

    def _rendered(self, name: str) -> Side:
        self._output.progress(f"rendering {name}")
        return self._sides.rendered(replace(self._request, environment=name))

    def _chosen(self) -> Sequence[str]:
        return () if self._arguments.all else tuple(self._arguments.environments)

    def _names(self, live: bool = False) -> Sequence[str]:
        """The environments to compare. This machine is in one of them: all of them against it must be asked for."""
        if self._chosen() or (live and not self._arguments.all):
            return self._chosen() or ("",)
        return tuple(load(self._request.bundle, self._machine).environments) or ("",)


_GONE = Side(notes=("this environment is gone",))


class _Former:
    """The bundle at a former commit. names: its environments; files: their files of variables; problem: why there are none."""

    def __init__(self, request: Request, machine: Readable, sides: Sides) -> None:
        self._request = request
        self._sides = sides
        self._there = machine.find(f"{request.bundle}/{NAME}").there
        self._problem = ""
        self.names: Sequence[str] = ()
        self.files: Sequence[str] = ()
        try:
            environments = load(request.bundle, machine).environments if self._there else {}
            self.names = tuple(environments)
            self.files = [one.file.text for one in environments.values() if one.file]
        except InvalidInput as error:
            self._problem = _problem(error)

    def side(self, name: str) -> Side:
        """An environment as it was; an empty side where there was none, one with a problem where it cannot be rendered."""
        if self._problem or not self._there or (name and name not in self.names):
            return Side(problem=self._problem)
        try:
            return self._sides.rendered(replace(self._request, environment=name), former=True)
        except InvalidInput as error:
            return Side(problem=_problem(error))

    def told(self, pair: Pair) -> Pair:
        """With a note where everything is new."""
        name, before, after = pair
        if before.problem or (self._there and (not name or name in self.names)):
            return pair
        note = "this environment is new" if self._there else f"{NAME} is new"
        return name, before, replace(after, notes=(*after.notes, note))


def _problem(error: InvalidInput) -> str:
    return f"the former revision does not render: {error}"


def _tell(review: Review, arguments: argparse.Namespace, output: Output) -> None:
    made = _written(review, arguments.format)
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(made)
        output.say(f"{words.total(review)}; wrote {arguments.output}", "bold")
    elif arguments.format == "text":
        from deploykit.review import text

        for line, colour in text.lines(review):
            output.say(line, colour)
    else:
        # All that is secret is out already; taken out once more it could break the page itself.
        to_people(sys.stdout, {}).text(made)


def _written(review: Review, kind: str) -> str:
    if kind == "markdown":
        from deploykit.review import markdown

        job = os.environ.get("CI_JOB_URL", "")
        return markdown.note(review, f"{job}/artifacts/browse" if job else "")
    if kind == "html":
        from deploykit.review import page

        return page.page(review)
    if kind == "text":
        from deploykit.review import text

        return "".join(f"{line}\n" for line, _ in text.lines(review))
    return _json(review, kind)


def _json(review: Review, kind: str) -> str:
    import json

    from deploykit.review import document

    body: Dict[str, Any] = document.terraform(review) if kind == "terraform" else document.document(review)
    return json.dumps(body, indent=2) + "\n"
