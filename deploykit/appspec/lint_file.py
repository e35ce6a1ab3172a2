"""Rules about the file as a whole: its name, its bytes, and the corners of YAML in which the agents differ."""

from __future__ import annotations

from typing import Iterator

from deploykit.appspec.catalogue import finding
from deploykit.appspec.document import Node, walk
from deploykit.appspec.subject import Subject, meaning
from deploykit.appspec.verdict import shown
from deploykit.errors import Location
from deploykit.model import Finding

_OTHER_PLATFORM = ("Resources", "Hooks")
_STRING_TAGS = ("tag:yaml.org,2002:str", "!str")


def check(subject: Subject) -> Iterator[Finding]:
    """All findings of this page."""
    yield from _name(subject)
    yield from _bytes(subject)
    yield from _documents(subject)
    yield from _platform(subject)
    if subject.tree.root:
        for node in walk(subject.tree.root):
            yield from _node(node)
        yield from _merge_keys(subject.tree.root)


def _name(subject: Subject) -> Iterator[Finding]:
    name = subject.file.replace("\\", "/").rsplit("/", 1)[-1]
    if name.lower() in ("appspec.yml", "appspec.yaml") and name != "appspec.yml":
        message = f"agent v1 looks for the hooks in appspec.yml and does not find {shown(name)}: BeforeInstall fails"
        yield finding("appspec-file-name", message, Location(subject.file), "rename it to appspec.yml")


def _bytes(subject: Subject) -> Iterator[Finding]:
    start = Location(subject.file, 1, 1)
    if subject.raw.startswith(b"\xef\xbb\xbf"):
        message = "a byte order mark shifts the first line: the agents do not see the keys below it"
        yield finding("appspec-bom", message, start, "save it as UTF-8 without BOM")
    if b"\r\n" in subject.raw:
        line = subject.raw.split(b"\r\n", 1)[0].count(b"\n") + 1
        hint = "save it with LF line ends, and look at the hooks too"
        yield finding("appspec-crlf", "line ends of Windows (CR LF): the agents take them", Location(subject.file, line), hint)
    if subject.raw.lstrip()[:1] == b"{":
        yield finding("appspec-json", "JSON: the agents take it", start, "write YAML, which people expect here")


def _documents(subject: Subject) -> Iterator[Finding]:
    after = subject.tree.more or (subject.tree.after.at if subject.tree.after else None)
    # Behind a byte order mark the second line looks like another document: that is said already.
    if after and not subject.raw.startswith(b"\xef\xbb\xbf"):
        message = "agent v1 does not read what follows the first document, agent v2 rejects the whole appspec"
        yield finding("appspec-second-document", message, after, "keep one document; remove the line `---` or `...` before it")


def _platform(subject: Subject) -> Iterator[Finding]:
    if subject.section("os"):
        return
    for key, _ in subject.top.entries:
        if key.text in _OTHER_PLATFORM:
            message = f"{key.text} belongs to an appspec for ECS or Lambda; the agent on a machine rejects it"
            yield finding("appspec-other-platform", message, key.at, "a machine needs os, files and hooks")
            return


def _node(node: Node) -> Iterator[Finding]:
    if node.kind == "alias":
        message = f"agent v1 follows no alias and rejects the whole appspec: *{shown(node.text, 40)}"
        yield finding("appspec-anchors", message, node.at, "write the value out")
    elif meaning(node)[0] in ("date", "time"):
        message = f"agent v1 takes {shown(node.text, 40)} for a {meaning(node)[0]} and rejects the whole appspec"
        yield finding("appspec-dates", message, node.at, f'put it in quotes: "{shown(node.text, 40)}"')
    if node.tag and node.tag not in _STRING_TAGS:
        message = f"the agents differ in what they make of the tag {shown(node.tag, 60)}"
        yield finding("appspec-tags", message, node.at, "write the value without a tag")


def _merge_keys(root: Node) -> Iterator[Finding]:
    for node in walk(root):
        for key, _ in node.entries:
            if key.kind == "scalar" and key.text == "<<":
                message = "a merge key: agent v2 passes over it, agent v1 rejects it with an alias and takes it without one"
                yield finding("appspec-merge-key", message, key.at, "write the keys out")
