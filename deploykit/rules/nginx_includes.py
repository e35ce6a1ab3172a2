"""Files that the configuration takes in, or does not."""

from __future__ import annotations

import re
from typing import Optional

from deploykit.parsers.nginx_tree import Parents
from deploykit.rules.nginx_examples import a_http, a_server
from deploykit.rules.nginx_layout import layout
from deploykit.rules.rule import Example, Exists, Found, Subject, finding, rule

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
    the pattern may be misspelt. A folder that is there and empty, within a server, is taken for meant, and so are the folders
    that packages include although they are empty at first: conf.d, sites-enabled, modules-enabled and the like.
    """
    view = layout(subject)
    lonely = not view.servers and not view.every("stream", "mail") and bool(view.every("http"))
    empty = {str(include.at): include for include in view.config.includes if not include.files}
    for directive, parents in view.every("include") if empty else ():
        include = empty.get(str(directive.at))
        loses = lonely and parents[-1].name == "http"
        if include and (loses or not _is_meant(include.pattern, parents, subject.around.exists)):
            message = f"{include.pattern} matches no file" + (
                ", and there is no server: nginx listens nowhere" if loses else ""
            )
            hint = "correct the pattern, or add a file"
            yield finding("nginx-include-empty", message, directive.at, hint, "error" if loses else "warning")


def _is_meant(pattern: str, parents: Parents, exists: Optional[Exists]) -> bool:
    """Is a folder for additions simply empty?"""
    folder = pattern.rpartition("/")[0]
    within = parents[-1].name in ("server", "location") and exists is not None and exists(folder) is True
    return within or bool(_DROP_IN.search(pattern))


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
