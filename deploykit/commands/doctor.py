"""``deploykit doctor``: is everything there that a deployment needs? Each line that is not ok says what to do."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.util import find_spec
from typing import Any, Callable, Dict, Iterator, Tuple

from deploykit.commands import asked
from deploykit.errors import DeploykitError
from deploykit.flow import settle
from deploykit.model import Settings
from deploykit.services import running
from deploykit.system.output import Output
from deploykit.system.port import Readable
from deploykit.system.signals import Watch

Line = Tuple[str, str, str]  # ok | note | wrong, what, what to do
_COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}


def run(arguments: argparse.Namespace, door: Callable[[Watch], Readable], output: Output) -> int:
    """Print a line a subject. 0, or 1 when something is wrong; what a laptop lacks is a note."""
    machine = door(Watch(0))
    lines = [*_python(), *_configuration(arguments, machine, output), *_machine(arguments.root, machine)]
    if arguments.json:
        output.document([_document(line) for line in lines])
    else:
        for level, what, fix in lines:
            output.say(f"{level:5} {what}{f' -> {fix}' if fix else ''}", _COLOURS[level])
    return 1 if any(line[0] == "wrong" for line in lines) else 0


def _python() -> Iterator[Line]:
    version = platform.python_version()
    yield (
        ("ok", f"python {version}", "")
        if sys.version_info >= (3, 9)
        else ("wrong", f"python {version}", "install Python 3.9 or later")
    )
    for library in ("jinja2", "yaml", "psutil", "sh", "crossplane"):
        if find_spec(library) is None:
            yield "wrong", f"library {library} is missing", "install deploykit with its requirements, or use a bundle"


def _configuration(arguments: argparse.Namespace, machine: Readable, output: Output) -> Iterator[Line]:
    try:
        settings = settle(asked.request(arguments), machine, output)
    except DeploykitError as error:
        yield "wrong", str(error), error.hint
        return
    yield "ok", f"deploykit.yml, environment {settings.environment or '-'}, {len(settings.files)} templates", ""
    yield from _services(settings, machine)


def _services(settings: Settings, machine: Readable) -> Iterator[Line]:
    alive = running.names(settings.services.values(), machine)
    for name, service in settings.services.items():
        if not service.installed:
            yield "note", f"{name} is not installed", "fine on a laptop: parsers judge; an instance needs it"
        elif name not in alive:
            yield "note", f"{name} {service.version} at {service.binary} does not run", "ApplicationStart starts it"
        else:
            yield (
                "ok",
                f"{name} {service.version} runs, configuration in {service.root}, supervised by {service.supervisor}",
                "",
            )


def _machine(prefix: str, machine: Readable) -> Iterator[Line]:
    free, inodes = machine.free_space(prefix + "/var/lib")
    level = "ok" if free > 64 << 20 and inodes > 2000 else "wrong"
    yield level, f"{free >> 20} MiB and {inodes} inodes free in {prefix}/var/lib", "" if level == "ok" else "free some space"
    if machine.is_root():
        yield "ok", "root: candidates are judged in private namespaces", ""
    else:
        yield "note", "not root: candidates are judged as far as a plain user can", "fine for dry runs"


def _document(line: Line) -> Dict[str, Any]:
    return dict(zip(("level", "what", "fix"), line))
