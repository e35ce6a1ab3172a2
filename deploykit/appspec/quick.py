"""How many seconds the agent gives a hook, from the lines of appspec.yml alone: every hook asks at its start."""

from __future__ import annotations

from typing import Dict, List, Optional

DEFAULT = 3600
_KEYS = ("location", "timeout", "runas", "sudo")
# What may begin a value in one line: anything else can reach over lines or mean more than it says.
_MARKS = "|>&*!?%@`{}],#"


def quick_timeout(raw: bytes, event: str, script: str) -> int:
    """Seconds that the agent gives ``script`` in ``event``; 0 where a YAML parser has to tell, see ``timeouts.timeout_in``.

    script: its path below the bundle, ``""`` where it is not known: then the least of all scripts of the event.
    Ordinary: hooks once, the event once, each script a ``- location: ...`` with its other keys below it, no anchors, no
    flow style, no escapes. Never wrong about a file that an agent accepts, and never raises.
    """
    lines = _lines(raw)
    scripts = _scripts(_block(_block(lines, "hooks"), event))
    if scripts is None:
        return 0
    found = [_seconds(one.get("timeout")) for one in scripts if not script or _bare(one["location"]) == _bare(script)]
    return min(found, default=0) if not script or len(found) == 1 else 0


class _Line:
    """One line that is neither blank nor a comment. indent: of its key. dash: of the ``-`` before it, -1 for none."""

    __slots__ = ("dash", "indent", "key", "value")

    def __init__(self, dash: int, indent: int, key: str, value: str) -> None:
        self.dash = dash
        self.indent = indent
        self.key = key
        self.value = value


def _lines(raw: bytes) -> Optional[List[_Line]]:
    """All lines, or None where one of them is out of the ordinary."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if any(one in text for one in "\t\r\\\ufeff\x85\u2028\u2029") or "<<" in text:
        return None
    found: List[_Line] = []
    for written in text.split("\n"):
        bare = written.strip(" ")
        if not bare or bare.startswith("#"):
            continue
        line = _line(written.rstrip(" "))
        if line is None:
            return None
        found.append(line)
    return found


def _line(written: str) -> Optional[_Line]:
    rest = written.lstrip(" ")
    indent, dash = len(written) - len(rest), -1
    if rest.startswith("- "):
        dash = indent
        rest = rest[2:].lstrip(" ")
        indent = len(written) - len(rest)
    key, colon, value = rest.partition(":")
    if not colon or (value and not value.startswith(" ")):
        # An entry such as "- file" below "type:"; a key has a colon and a space.
        return _Line(dash, indent, "", rest) if dash >= 0 and _simple(rest) and ":" not in rest else None
    value = value.partition(" #")[0].strip(" ")
    return _Line(dash, indent, key, value) if _word(key) and _simple(value) else None


def _word(key: str) -> bool:
    return key.replace("_", "").isalnum() and key.isascii()


def _simple(value: str) -> bool:
    if value[:1] in ("'", '"'):
        return len(value) > 1 and value[-1] == value[0] and value.count(value[0]) == 2
    if value.startswith("["):
        return value.endswith("]") and not any(one in value[1:-1] for one in "[]{}'\"#&*!:")
    return value[:1] not in _MARKS or not value


def _block(lines: Optional[List[_Line]], key: str) -> Optional[List[_Line]]:
    """What is below a key of these lines' first level; None where the key is not there exactly once, or has a value itself."""
    if not lines:
        return None
    level = lines[0].indent
    places = [place for place, line in enumerate(lines) if line.key == key and line.indent == level and line.dash < 0]
    if len(places) != 1 or lines[places[0]].value or any(line.indent < level for line in lines):
        return None
    below: List[_Line] = []
    for line in lines[places[0] + 1 :]:
        if line.indent <= level or (line.dash < 0 and line.indent == level):
            break
        below.append(line)
    return below


def _scripts(lines: Optional[List[_Line]]) -> Optional[List[Dict[str, str]]]:
    """The scripts of an event, key by key; None where a line is no key of a script."""
    if not lines:
        return None
    scripts: List[Dict[str, str]] = []
    dash, indent = lines[0].dash, lines[0].indent
    for line in lines:
        if line.dash >= 0:
            scripts.append({})
        wanted = (dash, indent) if line.dash >= 0 else (-1, indent)
        if (line.dash, line.indent) != wanted or not scripts or line.key not in _KEYS or line.key in scripts[-1]:
            return None
        scripts[-1][line.key] = line.value
    return scripts if all("location" in one and _plain_path(one["location"]) for one in scripts) else None


def _plain_path(location: str) -> bool:
    path = _bare(location)
    return bool(path) and "//" not in path and not any(part in (".", "..") for part in path.split("/"))


def _bare(location: str) -> str:
    """Without the quotes around it and without a leading ``/`` or ``./``."""
    path = location.strip(" ")
    path = path[1:-1].strip(" ") if path[:1] in ("'", '"') else path
    while path.startswith(("/", "./")):
        path = path[path.index("/") + 1 :]
    return path


def _seconds(written: Optional[str]) -> int:
    if not written:
        return DEFAULT
    right = written.isascii() and written.isdigit() and written[0] != "0" and len(written) <= 9
    return int(written) if right else 0
