"""Install: first the former deployment's files go, then it is found out whether the new ones may come, then they come."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import List, Set

from deploykit.appspec.spec import Appspec
from deploykit.simulator import appspecs, instructions, permissions
from deploykit.simulator.instructions import Builder, Instruction
from deploykit.simulator.layout import Layout, archive, below, write
from deploykit.simulator.model import Asked, EventFailed
from deploykit.simulator.order import ALL
from deploykit.system import agent_files


@dataclass
class Installed:
    """What Install did: files and links that it copied and those that it removed first, and what was not simulated."""

    copied: List[str] = field(default_factory=list)
    removed: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)


def install(asked: Asked, layout: Layout, done: Installed, broken: bool = False) -> None:
    """Install the revision. broken: end it before the first copy. Raises EventFailed."""
    own = layout.deployment(asked.deployment)
    spec = appspecs.for_install(archive(own), asked)
    if asked.local:
        _refuse_unknown_events(spec)
    try:
        _clean(layout, asked.root, done)
        builder = instructions.build(spec, archive(own), asked.behaviour, lambda path: _place(path, asked))
        permissions.add(spec, builder)
        _refuse_impossible(builder)
        write(layout.install, json.dumps({"instructions": instructions.document(builder.steps)}))
        if broken:
            raise EventFailed("made to fail by --fail-at Install")
        _carry_out(builder.steps, layout, done)
    except OSError as error:
        raise EventFailed(_words(error, asked.agent.splits_command)) from None
    write(layout.last_successful, own)


def _words(error: OSError, ruby: bool) -> str:
    """An error of the operating system in the words of either language. Ruby names the call: nearly always it opens a file."""
    if not ruby:
        return f"{error.strerror} (os error {error.errno})"
    call = "" if isinstance(error, FileExistsError) else "@ rb_sysopen "
    return f"{error.strerror} {call}- {error.filename2 or error.filename}"


def _place(path: str, asked: Asked) -> str:
    """A relative destination begins where the agent is: in ``/``, or where the caller of its command line is."""
    return below(asked.root, path, asked.folder if asked.local else "/")


def _refuse_unknown_events(spec: Appspec) -> None:
    """Only the agent's own command line looks at the names; the service's agent never runs what it does not know."""
    unknown = [event for event in spec.hooks if event not in ALL]
    if unknown:
        names = ", ".join(f'"{event}"' for event in unknown)
        raise EventFailed(f"appspec.yml file contains unknown lifecycle events: [{names}]", bad_appspec=True)


def _clean(layout: Layout, root: str, done: Installed) -> None:
    """Delete what the cleanup list names, last first, and the list."""
    if not os.path.exists(layout.cleanup):
        return
    with open(layout.cleanup, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        lines = file.read().split("\n")[:-1]  # what has no line end was cut off
    for line in reversed(lines):
        path = line.strip()
        if path.startswith(root + "/") and not os.path.isdir(path) and os.path.lexists(path):
            done.removed.append(path)
        if path.startswith(root + "/"):
            agent_files.delete(path)
    os.remove(layout.cleanup)


def _refuse_impossible(builder: Builder) -> None:
    if any(step.kind == "semanage" and step.value.endswith(":") for step in builder.steps):
        raise EventFailed("undefined method `get_range' for nil:NilClass")


def _carry_out(steps: List[Instruction], layout: Layout, done: Installed) -> None:
    unable: Set[str] = set()
    with open(layout.cleanup, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as cleanup:
        for step in steps:
            _do(step, cleanup.write, done, unable)
    done.notes += [f"{what} not simulated: only root can do that" for what in sorted(unable)]


def _do(step: Instruction, remember: instructions.Remember, done: Installed, unable: Set[str]) -> None:
    if step.kind == "copy":
        remember(step.path + "\n")
        agent_files.install(step.source, step.path)
        done.copied.append(step.path)
    elif step.kind == "mkdir":
        os.mkdir(step.path)
        remember(step.path + "\n")
    elif step.kind == "chmod":
        os.chmod(step.path, int(step.value, 8))
    elif step.kind == "chown":
        _change_owner(step, unable)
    else:
        done.notes.append(f"{step.kind} {step.value} {step.path}: not simulated")


def _change_owner(step: Instruction, unable: Set[str]) -> None:
    owner, _, group = step.value.partition(":")
    try:
        agent_files.change_owner(step.path, owner, group)
    except LookupError as error:
        raise EventFailed(str(error.args[0])) from None
    except PermissionError:
        unable.add(f"owner {step.value}")
