"""Files that the configuration takes in, or does not."""

from __future__ import annotations

import re

from deploykit.parsers.problem import Include
from deploykit.rules.nginx_examples import a_http, a_server
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_BACKUP = re.compile(
    r"(?:~|\.(?:bak|backup|orig|old|save|swp|swo|tmp|rej|disabled|rpmsave|rpmnew|rpmorig|ucf-\w+|dpkg-[\w-]+)|\.conf\.\d+)\Z|/\.?#",
    re.IGNORECASE,
)
# Folders that packages include although they are empty at first.
_DROP_IN = re.compile(
    r"/(?:conf\.d|default\.d|modules-enabled|sites-enabled|modules|stream\.d|streams-enabled|modules\.d|vhosts\.d)/"
)


@rule(
    "nginx-include-missing",
    "error",
    bad=Example(nginx=a_server("include snippets/nosuch.conf;")),
    good=Example(nginx=a_server("include fastcgi_params;")),
)
def include_missing(subject: Subject) -> Found:
    """An included file that does not exist or cannot be read.

    nginx does not start. A relative path lies below the folder of nginx.conf, not of the file that includes. Add the file to
    the templates, or correct the path; a pattern with ``*`` may match nothing.
    """
    for problem in subject.nginx.problems if subject.nginx else ():
        if problem.kind == "nginx-include-missing":
            hint = problem.hint or "add the file, or correct the path: a relative one lies below nginx.conf's folder"
            yield finding("nginx-include-missing", problem.message, problem.at, hint)


@rule(
    "nginx-include-empty",
    "error",
    bad=Example(nginx=a_http("include nosuch/*.conf;")),
    good=Example(nginx=a_http("include sites/*.conf;"), files={"/etc/nginx/sites/a.conf": "server { listen 80; return 204; }"}),
)
def include_empty(subject: Subject) -> Found:
    """A pattern in an include that matches no file.

    nginx takes that silently. Where no server is left nginx listens nowhere, which is an error; else it is a warning, for
    the pattern may be misspelt. The folders that packages include although they are empty at first (conf.d, sites-enabled,
    modules-enabled and the like) are left alone as long as there is a server.
    """
    view = layout(subject)
    lonely = not view.servers and not view.every("stream", "mail") and bool(view.every("http"))
    for directive, parents in view.every("include"):
        include = _of(view, str(directive.at))
        if include is None or include.files or (not lonely and _DROP_IN.search(include.pattern)):
            continue
        loses = lonely and parents[-1].name == "http"
        message = f"{include.pattern} matches no file" + (", and there is no server: nginx listens nowhere" if loses else "")
        if loses or not _DROP_IN.search(include.pattern):
            hint = "correct the pattern, or add a file"
            yield finding("nginx-include-empty", message, directive.at, hint, "error" if loses else "warning")


def _of(view: Layout, at: str) -> Include | None:
    return next((include for include in view.config.includes if str(include.at) == at), None)


@rule(
    "nginx-include-backup",
    "error",
    bad=Example(
        nginx=a_http("include sites/*;"),
        files={f"/etc/nginx/sites/{name}": "server { listen 80; server_name a; return 204; }" for name in ("a.conf.dpkg-old",)},
    ),
    good=Example(
        nginx=a_http("include sites/*.conf;"),
        files={
            f"/etc/nginx/sites/{name}": "server { listen 80; server_name a; return 204; }" for name in ("a.conf", "b.conf~")
        },
    ),
)
def include_backup(subject: Subject) -> Found:
    """A pattern that takes in backup copies: ``*~``, .bak, .orig, .swp, .rpmsave, .dpkg-old and the like.

    The old copy of a site is served besides the new one, or clashes with it so that nginx does not start. Let the pattern end
    in ``*.conf``, or remove the copy.
    """
    for include in subject.nginx.includes if subject.nginx else ():
        copies = [path for path in include.files if _BACKUP.search(path)]
        if copies and any(char in include.pattern for char in "*?["):
            names = ", ".join(path.rpartition("/")[2] for path in copies[:3])
            yield finding("nginx-include-backup", f"{include.pattern} takes in {names}", include.at, "include *.conf only")
