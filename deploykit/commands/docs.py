"""The annotated example of deploykit.yml, or the part of it about one key."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Dict

from deploykit.config.node import nearest
from deploykit.errors import ToolMissing, UsageError
from deploykit.system.output import Output

_KEY = re.compile(r"^#?([a-z_]+):", re.MULTILINE)


def text(section: str = "") -> str:
    """The whole example, or the block of one top-level key with the comment above it; ends with a line break.

    A key that is commented out (``#instance:``) has a block too. Raises UsageError for a section that is not there, and
    ToolMissing when the example was not installed with the program.
    """
    whole = _example()
    if not section:
        return whole
    blocks = _blocks(whole)
    if section not in blocks:
        hint = "the sections: " + ", ".join(blocks)
        raise UsageError(f'there is no section "{section}"{nearest(section, blocks)}', hint=hint)
    return blocks[section]


def _example() -> str:
    package = Path(__file__).resolve().parent.parent
    for folder in (package, package.parent):
        if (folder / "deploykit.yml").is_file():
            return (folder / "deploykit.yml").read_text(encoding="utf-8")
    raise ToolMissing("the annotated example is not installed", hint="look for deploykit.yml in the project's repository")


def _blocks(whole: str) -> Dict[str, str]:
    """Text by top-level key: the comment right above it, its line, and what follows until an empty line."""
    blocks: Dict[str, str] = {}
    for paragraph in re.split(r"\n{2,}", whole):
        key = _KEY.search(paragraph)
        if key:
            blocks[key[1]] = paragraph.rstrip("\n") + "\n"
    return blocks


def run(arguments: argparse.Namespace, _: object, output: Output) -> int:
    """Print it; always 0."""
    if arguments.json:
        output.document({"text": text(arguments.section)})
        return 0
    for line in text(arguments.section).rstrip("\n").split("\n"):
        output.say(line)
    return 0
