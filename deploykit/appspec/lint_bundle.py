"""Rules that need the bundle: are the scripts there, and will the kernel run them?"""

from __future__ import annotations

from typing import Iterator, Set

from deploykit.appspec.catalogue import finding
from deploykit.appspec.document import Node
from deploykit.appspec.subject import BundleFiles, Subject, inside, is_text
from deploykit.appspec.verdict import shown
from deploykit.errors import Location
from deploykit.model import Finding


def check(subject: Subject) -> Iterator[Finding]:
    """All findings of this page; none without a bundle. Findings about a script's text are placed in that script."""
    seen: Set[str] = set()
    for event, script in subject.scripts():
        node = subject.field(script, "location")
        path = inside(node.text) if node and is_text(node) else ""
        if node and subject.bundle and path and not path.startswith(".."):
            yield from _script(subject.bundle, event, path, node, seen)


def _script(bundle: BundleFiles, event: str, path: str, node: Node, seen: Set[str]) -> Iterator[Finding]:
    try:
        text = bundle.read(path) if bundle.exists(path) else None
    except OSError:
        text = None
    if text is None:
        message = f"{shown(path)} is not a file of the bundle: {shown(event, 60)} fails"
        yield finding("appspec-script-missing", message, node.at, "correct the path, or add the script to the bundle")
    elif path not in seen:
        yield from _first_line(text, path)
    seen.add(path)


def _first_line(text: bytes, path: str) -> Iterator[Finding]:
    first = text.split(b"\n", 1)[0]
    at = Location(path, 1, 1)
    if text.startswith(b"\xef\xbb\xbf"):
        message = "a byte order mark before #!: agent v1 runs the script with sh and reports success, agent v2 fails"
        yield finding("appspec-script-bom", message, at, "save it as UTF-8 without BOM")
    elif not first.startswith((b"#!", b"\x7fELF")):
        what = "the script is empty" if not text.strip() else "no #! on the first line"
        message = f"{what}: agent v1 runs it with sh, agent v2 fails with an exec format error"
        yield finding("appspec-script-shebang", message, at, "begin it with #!/bin/sh or the interpreter it needs")
    elif first.endswith(b"\r"):
        message = "a CR ends the first line: the interpreter is not found and the script fails"
        yield finding("appspec-script-crlf", message, at, "save it with LF line ends")
