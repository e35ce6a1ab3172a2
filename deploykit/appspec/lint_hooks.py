"""Rules about the scripts below hooks: location, timeout, runas, sudo."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Optional

from deploykit.appspec.catalogue import finding
from deploykit.appspec.document import Node, key_of
from deploykit.appspec.ruby import to_i
from deploykit.appspec.spec import DEFAULT_TIMEOUT
from deploykit.appspec.subject import Subject, inside, meaning
from deploykit.appspec.verdict import shown
from deploykit.errors import Location
from deploykit.model import Finding

MOST = 3600
_SECONDS = "write seconds as a plain integer, e.g. timeout: 300"
_SERVICE_ACCOUNTS = ("www-data", "nginx", "apache", "nobody", "daemon", "bin", "sys", "mail", "mysql", "redis")
_NO_SHELLS = ("nologin", "false", "true", "sync")


def check(subject: Subject) -> Iterator[Finding]:
    """All findings of this page."""
    for _, script in subject.scripts():
        yield from _location(subject.field(script, "location"))
        yield from _timeout(script, subject.field(script, "timeout"))
        yield from _runas(subject, subject.field(script, "runas"))
        yield from _sudo(subject.field(script, "sudo"))
    for key, value in subject.events():
        scripts = list(subject.maps(value))
        yield from _twice(subject, scripts)
        yield from _sum(subject, key, scripts)


def _location(node: Optional[Node]) -> Iterator[Finding]:
    kind = meaning(node)[0] if node else "nil"
    if node is None or kind == "nil":
        return
    if kind not in ("text", "symbol"):
        message = f"a location that is no text but a {kind}: the agents take it as it is printed, or reject it"
        yield finding("appspec-location-text", message, node.at, "write the path of the script below the bundle")
        return
    path = node.text.strip()
    if path.startswith("/"):
        message = f"{shown(path)} is sought below the bundle, in spite of its leading slash"
        yield finding("appspec-location-slash", message, node.at, f"write {shown(path.lstrip('/'))}")
    if inside(path).startswith(".."):
        message = f"{shown(path)} leads out of the bundle, and the agents run what is there"
        yield finding("appspec-location-escapes", message, node.at, "put the script into the bundle")
    if re.search(r"[^\w./:@%+,~-]", path):
        message = f"agent v1 gives {shown(path)} to a shell or cuts it at the space: the script is not found"
        yield finding("appspec-location-shell", message, node.at, "use letters, digits, . _ - and /, no arguments")


def _timeout(script: Node, node: Optional[Node]) -> Iterator[Finding]:
    kind, value = meaning(node) if node else ("nil", None)
    if node is None or kind == "nil":
        message = f"no timeout: the script may take {DEFAULT_TIMEOUT} s"
        yield finding("appspec-timeout-unstated", message, node.at if node else script.at, _SECONDS)
    elif kind == "text" and isinstance(value, str) and not node.tag:
        yield from _text_timeout(node, value)
    elif kind == "bool" and value is False:
        message = f"agent v1 takes false for no timeout ({DEFAULT_TIMEOUT} s), agent v2 rejects the whole appspec"
        yield finding("appspec-timeout-form", message, node.at, _SECONDS)
    elif kind in ("int", "float") and isinstance(value, (int, float)) and value > 0:
        yield from _number_timeout(node, value)


def _text_timeout(node: Node, text: str) -> Iterator[Finding]:
    seconds = to_i(text)
    if seconds <= 0:
        return
    taken = f"agent v1 takes {shown(text, 40)} as {_amount(seconds)} s"
    if not re.fullmatch(r"\s*\+?[0-9]+\s*", text, re.ASCII):
        message = f"{taken} and drops what follows the digits; agent v2 rejects the whole appspec"
        yield finding("appspec-timeout-text", message, node.at, _SECONDS)
    elif not node.style:
        # 08 is no octal number, and by its leading 0 no decimal one either.
        yield finding("appspec-timeout-octal", f"{taken}; agent v2 rejects the whole appspec", node.at, _SECONDS)
    else:
        message = f"agent v2 rejects the whole appspec: the timeout {shown(text, 40)} is a text"
        yield finding("appspec-timeout-quoted", message, node.at, _SECONDS)


def _number_timeout(node: Node, value: float) -> Iterator[Finding]:
    if re.fullmatch(r"\+?[1-9][0-9]*", node.text) or value == float("inf"):
        return
    taken = f"agent v1 takes {shown(node.text, 40)} as {_amount(int(value))} s"
    if ":" in node.text:
        message = f"{taken}: hours and minutes; agent v2 rejects the whole appspec"
        yield finding("appspec-timeout-base60", message, node.at, _SECONDS)
    elif re.fullmatch("[+-]?0[0-7_,]+", node.text):
        yield finding("appspec-timeout-octal", f"{taken}: octal; agent v2 rejects the whole appspec", node.at, _SECONDS)
    elif value >= 1:
        yield finding("appspec-timeout-form", f"{taken}; other readers take it otherwise or reject it", node.at, _SECONDS)


def _runas(subject: Subject, node: Optional[Node]) -> Iterator[Finding]:
    kind = meaning(node)[0] if node else "nil"
    if node is None or kind == "nil":
        return
    name = node.text.strip()
    if kind not in ("text", "symbol"):
        message = f"a user that is no text but a {kind}: the agents take it as it is printed, as a name, or reject it"
        yield finding("appspec-runas-text", message, node.at, "write the user's name")
    elif not name:
        yield finding("appspec-runas-blank", "a blank user: the script runs as root", node.at, "write root, or remove runas")
    elif not re.fullmatch(r"[A-Za-z_][\w.-]*\$?", name, re.ASCII):
        message = f"agent v1 gives {shown(name, 40)} to a shell, which takes it for something else than a name"
        yield finding("appspec-runas-shell", message, node.at, "write the user's name")
    else:
        yield from _account(subject, name, node.at)


def _account(subject: Subject, name: str, at: Location) -> Iterator[Finding]:
    hint = "run the script as root and let it drop its privileges"
    shell_of = subject.bundle.shell if subject.bundle else None
    if not shell_of:
        if name in _SERVICE_ACCOUNTS:
            message = f"{name} commonly has no login shell, so that su refuses and the script fails"
            yield finding("appspec-runas-service", message, at, hint)
        return
    shell = shell_of(name)
    if shell is None:
        yield finding("appspec-runas-unknown", f"this machine has no user {name}: su refuses and the script fails", at, hint)
    elif shell.rsplit("/", 1)[-1] in _NO_SHELLS:
        message = f"the shell of {name} is {shell}: su refuses and the script fails"
        yield finding("appspec-runas-nologin", message, at, hint)


def _sudo(node: Optional[Node]) -> Iterator[Finding]:
    kind, value = meaning(node) if node else ("nil", None)
    if node is None or kind == "nil":
        return
    written = shown(node.text, 40) if node.kind == "scalar" else f"a {node.kind}"
    if kind != "bool":
        message = f"agent v1 takes sudo: {written} as true, agent v2 rejects the whole appspec"
        yield finding("appspec-sudo-text", message, node.at, "write true or false, without quotes")
    elif node.text not in ("true", "True", "TRUE", "false", "False", "FALSE"):
        message = f"agent v2 rejects the whole appspec: sudo: {written} is no boolean of YAML 1.2"
        yield finding("appspec-sudo-word", message, node.at, "write true or false")
    if kind == "bool" and value is True:
        message = "sudo takes away LIFECYCLE_EVENT, DEPLOYMENT_ID and the other variables of the agent"
        yield finding("appspec-sudo-environment", message, node.at, "remove it: without runas the script runs as root")


def _twice(subject: Subject, scripts: List[Node]) -> Iterator[Finding]:
    seen: Dict[str, Location] = {}
    for script in scripts:
        node = subject.field(script, "location")
        path = inside(node.text) if node else ""
        if node and path and path in seen:
            message = f"{shown(path)} runs twice in this event; it is in line {seen[path].line} too"
            yield finding("appspec-duplicate-script", message, node.at, "remove one of the two")
        elif node:
            seen[path] = node.at


def _sum(subject: Subject, event: Node, scripts: List[Node]) -> Iterator[Finding]:
    stated = [_seconds(subject.field(script, "timeout")) for script in scripts]
    if sum(stated) > MOST:
        at = key_of(scripts[0], "timeout") if len(scripts) == 1 else event.at
        total = _amount(sum(stated))
        message = f"the scripts of {shown(event.text, 60)} may take {total} s, but the service ends the event at {MOST} s"
        yield finding("appspec-timeout-sum", message, at, "make the timeouts of an event add up to 3600 or less")


def _amount(seconds: int) -> str:
    return str(seconds) if seconds < 10**15 else "far too many"


def _seconds(node: Optional[Node]) -> int:
    kind, value = meaning(node) if node else ("nil", None)
    if kind == "text" and isinstance(value, str):
        return max(0, to_i(value))
    if kind in ("int", "float") and isinstance(value, (int, float)) and 0 < value < float("inf"):
        return int(value)
    return 0
