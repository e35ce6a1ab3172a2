"""``deploykit render``: what the templates become, printed or written below a folder."""

from __future__ import annotations

import argparse
import os
from typing import Callable, List, Sequence

from deploykit import flow
from deploykit.commands import asked
from deploykit.errors import UsageError
from deploykit.model import Target
from deploykit.stages.render import render
from deploykit.system.output import Output
from deploykit.system.port import Readable
from deploykit.system.signals import Watch


def run(arguments: argparse.Namespace, door: Callable[[Watch], Readable], output: Output) -> int:
    """Print the rendered files (secrets hidden), or write them below ``-o`` (secrets in clear, 0600). Returns 0."""
    machine = door(Watch(0))
    settings = flow.settle(asked.request(arguments), machine, output)
    targets = _chosen(render(settings, machine), arguments.template)
    if arguments.output:
        _write(targets, arguments.output, output)
    if arguments.json:
        output.document([_document(target) for target in targets])
    elif not arguments.output:
        for target in targets:
            output.say(f"# {target.path}  (from {target.template})", "bold")
            output.say(target.content.decode("utf-8", "replace").rstrip("\n"))
    return 0


def _chosen(targets: Sequence[Target], template: str) -> List[Target]:
    wanted = template.rstrip("/")
    found = [t for t in targets if not wanted or t.template.endswith((wanted, wanted + ".j2")) or t.path.endswith(wanted)]
    if not found:
        raise UsageError(f"no template {template!r}", hint=f"there are {', '.join(sorted({t.template for t in targets}))}")
    return found


def _write(targets: Sequence[Target], folder: str, output: Output) -> None:
    for target in targets:
        path = os.path.join(folder, target.path.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(target.content)
    output.say(f"wrote {len(targets)} files below {folder}")


def _document(target: Target) -> object:
    return {
        "path": target.path,
        "template": target.template,
        "service": target.service,
        "mode": f"{target.mode:04o}" if target.mode >= 0 else None,
        "content": target.content.decode("utf-8", "replace"),
    }
