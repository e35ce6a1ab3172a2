"""Rules about keys: those that no agent knows, those that stand twice, and events that never run."""

from __future__ import annotations

from typing import Iterator, List, Optional, Sequence, Tuple

from deploykit.appspec.catalogue import finding
from deploykit.appspec.document import Node, walk
from deploykit.appspec.subject import Subject, meaning
from deploykit.appspec.verdict import shown
from deploykit.model import EVENTS, Finding

TOP = ("version", "os", "files", "hooks", "permissions", "file_exists_behavior")
SCRIPT = ("location", "timeout", "runas", "sudo")
FILE = ("source", "destination")
PERMISSION = ("object", "pattern", "except", "owner", "group", "mode", "acls", "context", "type")
CONTEXT = ("name", "type", "range")
_AGENT_EVENTS = ("DownloadBundle", "Install", "BlockTraffic", "AllowTraffic", "Start", "End")


def check(subject: Subject) -> Iterator[Finding]:
    """All findings of this page."""
    yield from _known(subject.top, TOP, "appspec.yml")
    yield from _version(subject.section("version"))
    for _, script in subject.scripts():
        yield from _known(script, SCRIPT, "a script")
    for entry in subject.maps(subject.section("files")):
        yield from _file(entry)
    for entry in subject.maps(subject.section("permissions")):
        yield from _known(entry, PERMISSION, "a permission")
        context = subject.field(entry, "context")
        if context:
            yield from _known(context, CONTEXT, "a context")
    yield from _events(subject)
    yield from _nothing(subject)
    if subject.tree.root:
        yield from _duplicates(subject.tree.root)


def _version(node: Optional[Node]) -> Iterator[Finding]:
    if node and node.text != "0.0" and meaning(node)[0] in ("int", "float") and meaning(node)[1] == 0:
        message = f"the agents take {shown(node.text, 20)} for 0.0, other readers do not"
        yield finding("appspec-version-form", message, node.at, "write `version: 0.0`")


def _known(node: Node, names: Sequence[str], what: str) -> Iterator[Finding]:
    for key, _ in node.entries:
        if key.text == "<<" or (key.kind == "scalar" and key.text in names and meaning(key)[0] == "text"):
            continue
        word = shown(key.text, 60) if key.kind == "scalar" else f"a {key.kind} as a key"
        message = f"no agent knows {word} in {what}: it is passed over"
        yield finding("appspec-unknown-key", message, key.at, _hint(key.text, names))


def _hint(word: str, names: Sequence[str]) -> str:
    close = nearest(word, names)
    return f"did you mean {close}?" if close else "keys here are " + ", ".join(names)


def nearest(word: str, names: Sequence[str]) -> str:
    """The one of ``names`` that was probably meant, ``""`` for none. Case, ``-``, ``_``, ``:`` and spaces do not count."""
    import difflib

    def bare(text: str) -> str:
        return "".join(one for one in text.lower() if one.isalnum())

    by_letters = {bare(name): name for name in names}
    close = difflib.get_close_matches(bare(word[:80]), by_letters, 1, 0.7)
    return by_letters[close[0]] if close else ""


def _file(entry: Node) -> Iterator[Finding]:
    for key, _ in entry.entries:
        if key.text in ("overwrite", "file_exists_behavior"):
            message = f"the agents pass over {key.text} inside files: what happens to existing files is set for all of them"
            hint = "write file_exists_behavior: OVERWRITE at the top of the file, not indented, and read what it does"
            yield finding("appspec-overwrite-key", message, key.at, hint)
    others = tuple(pair for pair in entry.entries if pair[0].text not in ("overwrite", "file_exists_behavior"))
    yield from _known(Node("map", entry.at, entries=others), FILE, "files")


def _events(subject: Subject) -> Iterator[Finding]:
    for key, _ in subject.events():
        if key.text in EVENTS or key.text == "<<":
            continue
        own = key.text in _AGENT_EVENTS
        close = "" if own else nearest(key.text, EVENTS)
        hint = f"did you mean {close}? " if close else ""
        message = f"{key.text} is the agent's own: it runs no scripts" if own else f"no event is called {shown(key.text, 60)}"
        hint += "events are " + ", ".join(EVENTS)
        yield finding("appspec-unknown-event", message + "; these scripts never run and the deployment succeeds", key.at, hint)


def _nothing(subject: Subject) -> Iterator[Finding]:
    for name in TOP[2:5]:
        section = subject.section(name)
        if section and _nothing_but_written(section, map_is_right=name == "hooks"):
            message = f"agent v1 reads nothing here, agent v2 rejects the whole appspec: {name} is {_written(section)}"
            yield finding("appspec-null", message, section.at, f"remove {name}, or leave it without a value")
    hooks = subject.section("hooks")
    if hooks and (hooks.empty or (hooks.kind == "map" and not hooks.entries)):
        yield finding("appspec-empty-hooks", "no event is below hooks: nothing runs", hooks.at, "name an event")
    for key, value in subject.events():
        if meaning(value)[0] == "nil" or (value.kind == "list" and not value.children):
            message = f"{shown(key.text, 60)} has no scripts: nothing runs"
            yield finding("appspec-empty-hooks", message, key.at, "remove the event, or name a script")
        elif _nothing_but_written(value, map_is_right=False):
            what = f"{shown(key.text, 60)} is {_written(value)}"
            message = f"agent v1 reads nothing here, agent v2 rejects the whole appspec: {what}"
            yield finding("appspec-null", message, value.at, "remove the event, or write a list of scripts")


def _nothing_but_written(node: Node, map_is_right: bool) -> bool:
    if node.kind == "map":
        return not node.entries and not map_is_right
    return not node.empty and meaning(node) in (("nil", None), ("bool", False))


def _written(node: Node) -> str:
    return "{}" if node.kind == "map" else shown(node.text, 20)


def _duplicates(root: Node) -> Iterator[Finding]:
    for node in walk(root):
        first: List[Tuple[str, object]] = []
        for key, _ in node.entries:
            twin = _identity(key)
            if twin is not None and twin in first:
                message = f"{shown(key.text, 60)} stands here a second time: agent v1 takes the last one"
                message += ", agent v2 rejects the whole appspec or does so too"
                yield finding("appspec-duplicate-key", message, key.at, "keep one of them")
            elif twin is not None:
                first.append(twin)


def _identity(key: Node) -> Optional[Tuple[str, object]]:
    return meaning(key) if key.kind == "scalar" else None
