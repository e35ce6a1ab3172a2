"""What lies below config_templates/, and the settings of ``files:`` for it."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Mapping, Tuple

from deploykit.config.convert import Attempt
from deploykit.config.document import FileEntry
from deploykit.config.node import nearest
from deploykit.errors import InvalidInput, Location
from deploykit.model import SERVICES, FileRule
from deploykit.system.port import Readable

FOLDER = "config_templates"

_KEPT_FOR_GIT = (".gitkeep", ".gitignore")
_LEFTOVER = re.compile(
    r".*(~|\.sw[a-p]|\.bak|\.orig|\.rej|\.tmp|\.rpm(save|new|orig)|\.dpkg-\w+)|\.#.*|\._.*|#.*#|\.DS_Store|Thumbs\.db",
    re.DOTALL,
)


def rules(entries: Mapping[str, FileEntry], bundle: str, machine: Readable) -> Tuple[FileRule, ...]:
    """One rule per template, sorted by path. entries: ``files:`` as written.

    Raises InvalidInput, all at once, for what is no template, for entries without one, and for two files with one name.
    """
    attempt = Attempt()
    found = _templates(bundle, machine, attempt)
    made = [attempt.call(_rule, template, entries) for template in found]
    for path, entry in entries.items():
        attempt.call(_refuse_orphan, path, entry, found)
    attempt.finish()
    _refuse_same_name(made)
    return tuple(made)


def _templates(bundle: str, machine: Readable, attempt: Attempt) -> List[str]:
    root = f"{bundle}/{FOLDER}"
    for name in machine.names(root):
        attempt.call(_refuse_first, name, machine.find(f"{root}/{name}").kind)
    return [path for service in SERVICES for path in _walk(root, service, machine, attempt)]


def _refuse_first(name: str, kind: str) -> None:
    if name in _KEPT_FOR_GIT or (name in SERVICES and kind == "folder"):
        return
    hint = "the first folder is nginx or php-fpm, and templates lie below it"
    raise InvalidInput(f"no folder of a service{nearest(name, SERVICES)}", at=Location(f"{FOLDER}/{name}"), hint=hint)


def _walk(root: str, folder: str, machine: Readable, attempt: Attempt) -> Iterator[str]:
    for name in machine.names(f"{root}/{folder}"):
        path = f"{folder}/{name}"
        kind = machine.find(f"{root}/{path}").kind
        if kind == "folder":
            yield from _walk(root, path, machine, attempt)
        elif name not in _KEPT_FOR_GIT:
            attempt.call(_refuse_odd, path, name, kind)
            yield path


def _refuse_odd(path: str, name: str, kind: str) -> None:
    at = Location(f"{FOLDER}/{path}")
    if kind != "file":
        raise InvalidInput(f"a {kind}, not a file", at=at, hint="put a plain file there: bundles carry no links")
    if _LEFTOVER.fullmatch(name):
        raise InvalidInput("left behind by an editor or a tool", at=at, hint="delete it; as a template it would go live")
    if name == ".j2" or not path.isprintable():
        raise InvalidInput("not a name for a file", at=at, hint="rename it")


def _without_j2(template: str) -> str:
    return template[: -len(".j2")] if template.endswith(".j2") else template


def _rule(template: str, entries: Mapping[str, FileEntry]) -> FileRule:
    short = _without_j2(template)
    named = [entries[name] for name in dict.fromkeys((template, short)) if name in entries]
    if len(named) > 1:
        raise InvalidInput(f'"{template}" and "{short}" are the same template', at=named[1].at, hint="keep one of the two")
    entry = named[0] if named else FileEntry(at=Location(f"{FOLDER}/{template}"))
    if entry.delete:
        raise InvalidInput(f"delete: true, but there is a template {template}", at=entry.at, hint="delete one of the two")
    service, _, rest = (entry.to or short).partition("/")
    if service != template.partition("/")[0]:
        hint = "move the template to the folder of the other service"
        raise InvalidInput(f"to: leads from {template} to another service", at=entry.at, hint=hint)
    return FileRule(template, service, rest, entry.mode, entry.owner, entry.group, entry.when, entry.each, entry.item, entry.at)


def _refuse_orphan(path: str, entry: FileEntry, found: List[str]) -> None:
    if entry.delete or path in found or f"{path}.j2" in found:
        return
    near = nearest(path, [*found, *map(_without_j2, found)])
    hint = f"put one into {FOLDER}/, or remove this entry"
    raise InvalidInput(f'there is no template "{path}"{near}', at=entry.at, hint=hint)


def _refuse_same_name(made: List[FileRule]) -> None:
    """Two templates may share a name only when ``when:`` can choose between them, or ``{{ }}`` is still to be filled in."""
    first: Dict[Tuple[str, str], FileRule] = {}
    for rule in made:
        other = first.setdefault((rule.service, rule.to), rule)
        if other is not rule and not (rule.when and other.when):
            hint = "give one of them another to:, or both a when:"
            raise InvalidInput(f"{other.template} and {rule.template} both become {rule.to}", at=rule.at, hint=hint)
