"""Every rule about appspec.yml: id, severity, the agents it is about, what it sees, an example.

``docs/appspec.md`` is made of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from deploykit.errors import Location
from deploykit.model import Finding

AGENTS = ("v1", "v2")
BOTH = AGENTS
V1 = ("v1",)
V2 = ("v2",)


@dataclass(frozen=True)
class Rule:
    """One rule. severity: ``error`` (an agent refuses the file or does something else than it says), ``warning``, ``info``.

    agents: those it is about; it is silent when none of them is asked for. needs: ``""``, ``bundle`` or ``machine``.
    """

    id: str
    severity: str
    agents: Tuple[str, ...]
    what: str
    example: str
    needs: str = ""


def _error(name: str, what: str, example: str, agents: Tuple[str, ...] = BOTH, needs: str = "") -> Rule:
    return Rule("appspec-" + name, "error", agents, what, example, needs)


def _warning(name: str, what: str, example: str) -> Rule:
    return Rule("appspec-" + name, "warning", BOTH, what, example)


def _info(name: str, what: str, example: str, agents: Tuple[str, ...] = BOTH) -> Rule:
    return Rule("appspec-" + name, "info", agents, what, example)


# Why an agent refuses the whole file: the agents that do, what it is about, an example.
REASONS: Dict[str, Tuple[Tuple[str, ...], str, str]] = {
    "syntax": (BOTH, "not YAML, not UTF-8, a control character, a tab as indentation", "hooks:<LF><TAB>AfterInstall:"),
    "empty": (BOTH, "nothing but comments, or null", "# nothing"),
    "shape": (V1, "a list, map or text in the place of another (a raw Ruby error)", "hooks: [AfterInstall]"),
    "type-of-value": (V2, "a value of another type than v2 wants", 'timeout: "300"'),
    "value": (V1, "a plain text that Ruby cannot turn into the number it looks like", "timeout: 0x_"),
    "alias": (BOTH, "an alias: v1 follows none, v2 all but unknown ones", "location: *script"),
    "class": (V1, "an unquoted date or time, or a tag that names a Ruby class", "built: 2030-01-02"),
    "documents": (V2, "a second document", "---"),
    "duplicate-key": (V2, "a known key twice in one map", "os: linux<LF>os: linux"),
    "version": (BOTH, "a version that is missing or is not the number 0.0", 'version: "0.0"'),
    "os": (BOTH, "an os other than linux", "os: Linux"),
    "location": (BOTH, "a script without location", "- timeout: 60"),
    "timeout": (BOTH, "a timeout that is not above 0", "timeout: 0"),
    "source": (BOTH, "a file without source", "- destination: /var/www"),
    "destination": (BOTH, "a file without destination", "- source: app"),
    "object": (BOTH, "a permission without object", "- mode: '0644'"),
    "type": (BOTH, "a type of permission other than file and directory", "type: [link]"),
    "mode": (BOTH, "a mode that is too long or holds anything but octal digits", "mode: u+x"),
    "acl": (BOTH, "an entry of acls that is none", "acls: ['7']"),
    "context": (BOTH, "an SELinux context without type or with a bad range", "context: {name: user_u}"),
    "file-exists-behavior": (BOTH, "another behaviour than the three", "file_exists_behavior: overwrite"),
}

_LINTS = (
    # the file
    _error("file-name", "a name that the agent does not look for", "appspec.yaml", V1),
    _error("bom", "a byte order mark: the keys below the first line are lost", "<BOM>version: 0.0"),
    _warning("crlf", "line ends of Windows", "version: 0.0<CR><LF>"),
    _warning("json", "JSON in place of YAML", '{"version": 0.0, "os": "linux"}'),
    _error("second-document", "a second document: v1 passes over it, v2 refuses the file", "---"),
    _error("too-deep", "more than 200 lists and maps inside each other", "x: [[[[..."),
    _error("other-platform", "an appspec for ECS or Lambda", "Resources:"),
    _error("anchors", "an alias: v1 refuses the file", "timeout: *minutes", V1),
    _error("merge-key", "a merge key: v2 passes over it, v1 takes it without alias only", "<<: {timeout: 30}"),
    _error("dates", "an unquoted date or time: v1 refuses the file", "released: 2030-01-02", V1),
    _warning("tags", "a tag: the agents differ in what they make of it", "timeout: !!float 60"),
    # keys
    _error("unknown-key", "a key that no agent knows and both pass over", "Files:"),
    _error("overwrite-key", "overwrite or file_exists_behavior inside files", "overwrite: true"),
    _error("duplicate-key", "a key twice: v1 takes the last, v2 refuses known ones", "os: linux<LF>os: linux"),
    _error("unknown-event", "an event whose scripts never run", "Install:"),
    _warning("empty-hooks", "hooks or an event without scripts: nothing runs", "AfterInstall: []"),
    _error("null", "null, ~ or {} where v1 reads nothing and v2 refuses the file", "hooks: ~", V2),
    _warning("version-form", "a version of 0 that is not written 0.0", "version: 0"),
    # scripts
    _error("location-text", "a location that is no text", "location: 5"),
    _warning("location-slash", "a leading slash: it is below the bundle all the same", "location: /hooks/a"),
    _error("location-escapes", "a location outside the bundle", "location: ../a.sh"),
    _error("location-shell", "a space or a character of the shell in a location", "location: a.sh --now", V1),
    _warning("duplicate-script", "one script twice in an event", "- location: a<LF>- location: a"),
    _warning("timeout-unstated", "no timeout: an hour", "- location: hooks/a"),
    _error("timeout-text", "a text as timeout: v1 takes the digits it begins with", "timeout: 1h"),
    _error("timeout-quoted", "a timeout in quotes: v1 takes it, v2 refuses the file", 'timeout: "300"', V2),
    _error("timeout-base60", "a:b, which v1 takes as hours and minutes", "timeout: 2:15"),
    _error("timeout-octal", "a leading 0, which makes it octal", "timeout: 010"),
    _error("timeout-form", "a timeout that is not written as a plain integer", "timeout: 0x10"),
    _error("timeout-sum", "more than the service's 3600 s for all scripts of an event", "timeout: 7200"),
    _error("runas-text", "a user that is no text: it is taken as it is printed, as a name", "runas: 1000"),
    _error("runas-blank", "a blank user: the script runs as root", "runas: ''"),
    _error("runas-shell", "a user that the shell takes for something else", "runas: a b"),
    _warning("runas-service", "a user who commonly has no shell, so that su fails", "runas: www-data"),
    _error("runas-nologin", "a user whose shell refuses", "runas: www-data", needs="machine"),
    _error("runas-unknown", "a user that this machine does not have", "runas: nobody2", needs="machine"),
    _error("sudo-text", "sudo that is no boolean: v1 takes it as true, whatever it says", "sudo: 'false'"),
    _error("sudo-word", "a boolean of YAML 1.1: v1 takes it, v2 refuses the file", "sudo: no", V2),
    _warning("sudo-environment", "sudo takes the agent's variables away", "sudo: true"),
    # files
    _error("files-text", "a source or destination that is blank or no text", "source: 1"),
    _error("source-glob", "a wildcard in source: no file has that name", "source: build/*"),
    _error("source-escapes", "a source outside the bundle", "source: ../app"),
    _info("source-whole", "the whole bundle is copied, appspec.yml and hooks too", "source: /"),
    _error("source-missing", "a source that is not in the bundle", "source: buidl", needs="bundle"),
    _error("destination-relative", "a destination below the agent's working directory", "destination: www"),
    _warning("destination-file", "a destination that looks like a file: it is a folder", "destination: /x/a.php"),
    _error("files-twice", "the same source to the same destination twice", "- source: a ..."),
    _warning("overwrite", "OVERWRITE: other people's files are deleted later", "file_exists_behavior: OVERWRITE"),
    # permissions
    _error("mode-unquoted", "an unquoted mode with a leading 0: v1 sets other digits", "mode: 0644", V1),
    _error("mode-short", "a mode of less than three digits", "mode: 7"),
    _error("mode-setuid", "setuid or setgid with an owner or group: chown takes it away", "mode: '4755'<LF>owner: root", V1),
    _error("permission-pattern", "pattern or except for a file: Install fails", "object: /x/a.php<LF>pattern: '*'"),
    _warning("permission-unused", "an object that nothing is copied to", "object: /elsewhere"),
    _error("permission-twice", "two permissions for the same object and type", "- object: /x ..."),
    _error("acl-default", "a default ACL with the type file: Install fails", "acls: ['d:u:app:rwx']"),
    _info("acl-local", "acls or context: codedeploy-local fails, the daemon does not", "acls: ['u:app:rwx']", V1),
    _error("context-range", "a context without range: Install fails", "context: {type: httpd_sys_content_t}", V1),
    # the bundle
    _error("script-missing", "a script that is not in the bundle", "location: hooks/strat", needs="bundle"),
    _error("script-bom", "a byte order mark before #!: v1 runs it with sh", "<BOM>#!/bin/bash", needs="bundle"),
    _error("script-crlf", "a CR behind the interpreter's name", "#!/bin/bash<CR><LF>", needs="bundle"),
    _error("script-shebang", "no #! on the first line: v1 runs it with sh, v2 fails", "#/bin/bash", needs="bundle"),
)


def _rejections() -> Tuple[Rule, ...]:
    return tuple(
        Rule(f"appspec-rejected-{agent}-{why}", "error", (agent,), f"agent {agent} refuses the file: {what}", example)
        for agent in AGENTS
        for why, (agents, what, example) in REASONS.items()
        if agent in agents
    )


RULES: Dict[str, Rule] = {rule.id: rule for rule in (*_rejections(), *_LINTS)}


def finding(rule: str, message: str, at: Optional[Location], hint: str = "") -> Finding:
    """A finding of a rule of the catalogue, with that rule's severity."""
    return Finding(rule, RULES[rule].severity, message, at, hint)
