"""Who may see what."""

from __future__ import annotations

from typing import Set

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Block, Location, Server
from deploykit.rules.nginx_examples import FRONT, PHP, a_block, a_server, a_site
from deploykit.rules.nginx_layout import layout
from deploykit.rules.nginx_regex import compiled
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_SECRETS = ("/.env", "/.git/config")
LOGINS = (
    "auth_basic",
    "auth_request",
    "auth_jwt",
    "ssl_verify_client",
    "auth_pam",
    "auth_digest",
    "auth_ldap",
    "access_by_lua_block",
)


@rule(
    "nginx-dotfiles",
    "warning",
    bad=Example(nginx=a_server("root /srv/app/public;", FRONT, *a_block("location ~ \\.php$", *PHP))),
    good=Example(nginx=a_site()),
)
def dotfiles(subject: Subject) -> Found:
    """No location keeps files that begin with a dot from being fetched.

    ``/.env`` with its passwords and ``/.git`` come out when they lie below the root. That is an error where one lies there,
    else a warning, for servers that run PHP. Add ``location ~ /\\. { deny all; }``, with an exception for .well-known.
    """
    view, exists = layout(subject), subject.around.exists
    for server in view.servers:
        judged = view.whole(server) and server.readable and server.root is not None
        sent = [path for path in _SECRETS if _is_sent(server, path)] if judged else []
        there = [path for path in sent if exists and server.folder and exists(server.folder + path)]
        if there or (_SECRETS[0] in sent and server.runs_php):
            message = f"{(there or sent)[0]} is sent to whoever asks" + ("" if there else ", if it is there")
            hint = "add: location ~ /\\. { deny all; }"
            at = server.root.at if server.root else None
            yield finding("nginx-dotfiles", message, at, hint, "error" if there else "warning")


def _is_sent(server: Server, path: str) -> bool:
    """Does nginx send the file at this path, if it is there?"""
    if server.has("return", "rewrite") or _by_if(server, path):
        return False
    place = server.target(path) or server
    if (
        place.root is None
        or place.hands_on
        or place.has("return", "rewrite", "internal", "auth_basic", "perl", "js_content", "if")
    ):
        return False
    if any(directive.args[:1] == ("all",) for directive in place.effective("deny")):
        return False
    tried = place.own("try_files")
    return not tried or any(word.startswith(("$uri", "$document_uri")) for word in tried[-1].args[:-1])


def _by_if(server: Server, path: str) -> bool:
    """Does an ``if`` of the server refuse the path?"""
    for block in server.ifs:
        args = block.directive.args
        if len(args) == 3 and args[0] in ("$uri", "$request_uri", "$document_uri") and args[1] in ("~", "~*"):
            regex = compiled(args[2], args[1] == "~*")
            if regex and regex.search(path) and block.has("return", "rewrite"):
                return True
    return False


@rule(
    "nginx-return-bypasses-deny",
    "error",
    bad=Example(nginx=a_server('location /admin { allow 10.0.0.0/8; deny all; return 200 "secret"; }')),
    good=Example(nginx=a_server("location /admin { allow 10.0.0.0/8; deny all; root /srv/admin; }")),
)
def return_bypasses_deny(subject: Subject) -> Found:
    """return, or a rewrite that leads away, beside allow and deny.

    nginx carries them out before it looks at who asks, so everybody gets the answer. A status of 400 and more refuses anyway
    and is left alone; a redirect is a warning. Move the answer into a location of its own that this one leads to, or use
    ``if``/geo to decide.
    """
    for block in layout(subject).blocks:
        if not block.has("deny"):
            continue
        for directive in block.own("return"):
            severity = _given_away(block, directive)
            if severity:
                message = "this is answered before allow and deny are looked at: everybody gets it"
                yield finding("nginx-return-bypasses-deny", message, directive.at, "decide with a geo variable", severity)
        for directive in block.own("rewrite") if isinstance(block, Location) else ():
            if directive.args[-1:] != ("break",):
                message = "this leads to another place before allow and deny are looked at"
                yield finding("nginx-return-bypasses-deny", message, directive.at, "put them into the place that it leads to")


def _given_away(block: Block, directive: Directive) -> str:
    """Severity of a return beside a deny, ``""`` when nothing is given away."""
    code = directive.args[0] if directive.args else ""
    redirect = not code.isdigit() or code in ("301", "302", "303", "307", "308")
    if redirect:
        return "warning" if isinstance(block, Location) else ""
    return "error" if code.isdigit() and int(code) < 400 and code != "204" else ""


@rule(
    "nginx-allow-without-deny",
    "warning",
    bad=Example(nginx=a_server("location /admin { allow 10.0.0.0/8; root /srv; }")),
    good=Example(nginx=a_server("location /admin { allow 10.0.0.0/8; deny all; root /srv; }")),
)
def allow_without_deny(subject: Subject) -> Found:
    """``allow ADDRESS`` without a ``deny`` in the same block.

    Whoever no line names is let in, so the line does nothing, and it drops the deny lines of the blocks further out. Add
    ``deny all;`` behind it.
    """
    view = layout(subject)
    said: Set[int] = set()
    for directive, parents in view.every("allow"):
        block = Block(parents, view)
        lets_in = (
            directive.args[:1] != ("all",)
            and not block.has("deny")
            and not any(line.args[:1] == ("all",) for line in block.own("allow"))
        )
        either = block.value("satisfy") == "any" and any(block.effective(name) for name in LOGINS)
        if lets_in and not either and view.whole(block) and id(parents[-1]) not in said:
            said.add(id(parents[-1]))
            message = f"allow {' '.join(directive.args)} lets everybody in: there is no deny beside it"
            yield finding("nginx-allow-without-deny", message, directive.at, "add: deny all;")
