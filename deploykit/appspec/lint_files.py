"""Rules about files and file_exists_behavior: what the Install event copies, and what it deletes."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple

from deploykit.appspec.catalogue import finding
from deploykit.appspec.document import Node
from deploykit.appspec.subject import Subject, inside, is_text, meaning
from deploykit.appspec.verdict import shown
from deploykit.errors import Location
from deploykit.model import Finding


def check(subject: Subject) -> Iterator[Finding]:
    """All findings of this page."""
    seen: Dict[Tuple[str, str], Location] = {}
    for entry in subject.maps(subject.section("files")):
        source, destination = subject.field(entry, "source"), subject.field(entry, "destination")
        yield from _texts(source, destination)
        if source and destination and is_text(source) and is_text(destination):
            yield from _source(subject, source)
            yield from _destination(source, destination)
            yield from _twice(seen, source, destination)
    yield from _behaviour(subject.section("file_exists_behavior"))


def _texts(source: Optional[Node], destination: Optional[Node]) -> Iterator[Finding]:
    for name, node in (("source", source), ("destination", destination)):
        if node and not is_text(node) and (meaning(node)[0] != "nil"):
            message = f"{name} is blank or no text: Install fails, or takes it as it is printed"
            yield finding("appspec-files-text", message, node.at, f"write the path of the {name}")


def _source(subject: Subject, node: Node) -> Iterator[Finding]:
    path = inside(node.text)
    if path.startswith(".."):
        message = f"{shown(node.text)} leads out of the bundle"
        yield finding("appspec-source-escapes", message, node.at, "put the files into the bundle")
    elif not path:
        message = "the whole bundle is copied: appspec.yml, hooks and templates are then served with the application"
        yield finding("appspec-source-whole", message, node.at, "put the application into a folder of its own and name that")
    elif any(one in path for one in "*?[") and not (subject.bundle and subject.bundle.exists(path)):
        message = f"the agents know no wildcards: there is no file called {shown(node.text)}, and Install fails"
        yield finding("appspec-source-glob", message, node.at, "name the folder")
    elif subject.bundle and not subject.bundle.exists(path):
        message = f"{shown(path)} is not in the bundle: Install fails after it has deleted the former files"
        yield finding("appspec-source-missing", message, node.at, "correct the path, or add the file to the bundle")


def _destination(source: Node, node: Node) -> Iterator[Finding]:
    path = node.text.strip()
    if not path.startswith("/"):
        message = f"{shown(path)} is taken from the agent's working directory, which can be any"
        yield finding("appspec-destination-relative", message, node.at, "begin it with /")
    ending = _ending(inside(source.text))
    if ending and ending == _ending(path):
        name = inside(source.text).rsplit("/", 1)[-1]
        message = f"the destination of a file is a folder: it becomes {shown(path)}/{shown(name)}"
        yield finding("appspec-destination-file", message, node.at, f"write {shown(path.rsplit('/', 1)[0] or '/')}")


def _ending(path: str) -> str:
    name = path.rsplit("/", 1)[-1].lstrip(".")
    return name.rsplit(".", 1)[1] if "." in name else ""


def _twice(seen: Dict[Tuple[str, str], Location], source: Node, destination: Node) -> Iterator[Finding]:
    pair = (inside(source.text), inside(destination.text))
    if pair in seen:
        message = f"{shown(source.text)} goes to {shown(destination.text)} already (line {seen[pair].line}): Install fails"
        yield finding("appspec-files-twice", message, source.at, "remove one of the two")
    else:
        seen[pair] = source.at


def _behaviour(node: Optional[Node]) -> Iterator[Finding]:
    if node and node.text == "OVERWRITE":
        message = "OVERWRITE makes files that were there before the agent's own: the next deployment deletes them"
        yield finding("appspec-overwrite", message, node.at, "copy to a folder that nobody else writes to, and keep DISALLOW")
