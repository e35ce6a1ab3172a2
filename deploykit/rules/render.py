"""What a template leaves behind when a value was missing or of the wrong kind."""

from __future__ import annotations

import re
from typing import Iterator, Tuple

from deploykit.errors import Location
from deploykit.parsers.nginx_names import TABLES
from deploykit.parsers.nginx_tree import Directive
from deploykit.parsers.php_fpm_directives import ARRAYS, GLOBAL, POOL, boolean
from deploykit.parsers.php_fpm_tree import Entry
from deploykit.rules.nginx_examples import a_http, a_server
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_variables import built_in
from deploykit.rules.render_text import leftover_lines, leftovers, odd_characters
from deploykit.rules.rule import Example, Found, Subject, finding, rule

PYTHON = frozenset(("None", "True", "False"))
NOTHING = PYTHON | {"null", "undefined"}
# Here any word may be meant as it stands.
_COMPARING = frozenset(("if", "set", "return", "map", "location", "log_format", "sub_filter", "valid_referers"))
_FREE = frozenset(("add_header", "add_trailer", "proxy_set_header", "fastcgi_param", "uwsgi_param", "scgi_param", "rewrite"))
_NEEDED = frozenset(
    ("root", "alias", "listen", "index", "server", "upstream", "include", "user", "pid", "resolver", "load_module")
)
_NEEDED |= {"error_log", "access_log", "worker_processes", "worker_connections", "client_max_body_size", "ssl_protocols"}
_NEEDED |= {"fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "ssl_certificate", "ssl_certificate_key"}
_SHELL = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_WITHOUT_VARIABLES = frozenset(("server_name", "listen", "server", "include", "root", "alias", "upstream", "user", "pid"))


@rule(
    "render-none",
    "error",
    bad=Example(nginx=a_server("root None;", "location / { try_files $uri =404; }")),
    good=Example(nginx=a_server("root /srv/app/public;", "location / { try_files $uri =404; }")),
)
def none(subject: Subject) -> Found:
    """A value that was printed for something missing, or for on and off: None, True, False, null, undefined.

    Both services take such a word as a name: ``root None`` serves a folder of that name below nginx's own prefix, and
    ``access_log False`` writes a file "False". Give the variable a value, or leave the line out where there is none; for on
    and off use the filters that print them.
    """
    hint = "the variable has no value, or is a boolean: give it one, or print it with a filter"
    for directive in _statements(layout(subject)):
        for word, at in _words(directive):
            if is_leftover_word(directive.name, word):
                yield finding("render-none", f"'{word}' stands as the value of '{directive.name}'", at, hint)
    for entry in _entries(subject):
        if entry.raw.strip() in NOTHING and not _may_say(entry):
            yield finding("render-none", f"'{entry.raw.strip()}' stands as the value of '{entry.key}'", entry.at, hint)


def is_leftover_word(name: str, word: str) -> bool:
    """Is this argument of nginx's directive ``name`` what a missing or boolean value prints?"""
    return word in NOTHING and name not in _COMPARING and (word in PYTHON or name not in _FREE)


def _may_say(entry: Entry) -> bool:
    """True and False are booleans to php-fpm too, and null is a way to write nothing; arrays have rules of their own."""
    if entry.key in ARRAYS:
        return True
    known = POOL.get(entry.key) or GLOBAL.get(entry.key)
    return entry.raw.strip() == "null" or (entry.raw.strip() in ("True", "False") and bool(known and known.kind is boolean))


@rule(
    "render-leftover",
    "error",
    bad=Example(nginx=a_server("root ${APP_ROOT};", "location / { try_files $uri =404; }")),
    good=Example(nginx=a_server("root /srv/app/public;", "location / { try_files $uri =404; }")),
)
def leftover(subject: Subject) -> Found:
    """A piece of a template that nobody filled in: ``{{ }}``, ``{% %}``, ``{# #}``, or ``${NAME}`` in capitals.

    nginx refuses some of them and takes others as plain text: a ``server_name ${SERVER_NAME}`` never matches a request, and the
    server answers only as long as it is the default one. Render the file with the engine that it was written for, or define
    the variable. Comments may hold what they like.
    """
    for mark in leftovers(subject):
        yield finding("render-leftover", f"{mark.what} was not filled in", mark.at, "is the file rendered at all?")
    view = layout(subject)
    for directive in _statements(view):
        for word, at in _words(directive):
            for name in _SHELL.findall(word):
                if _left_by_shell(name, directive, view):
                    hint = "envsubst would have replaced it: render the file, or define the variable"
                    yield finding("render-leftover", f"${{{name}}} was not filled in", at, hint)


def _left_by_shell(name: str, directive: Directive, view: Layout) -> bool:
    if name.lower() in view.variables:
        return False
    return directive.name in _WITHOUT_VARIABLES or not built_in(name)


@rule(
    "render-empty",
    "error",
    bad=Example(nginx=a_server('root "";', "location / { try_files $uri =404; }")),
    good=Example(nginx=a_server("root /srv/app/public;", "location / { try_files $uri =404; }")),
)
def empty(subject: Subject) -> Found:
    """A directive without a value, or with an empty one, where it needs one.

    That is what a template prints for an empty variable. With ``root ""`` nginx starts and answers 403 and 404 to everything;
    with ``server_name ;`` it does not start. Give the variable a value, or leave the whole line out when it is empty.
    """
    hint = "the variable is empty: give it a value, or leave the line out"
    left = leftover_lines(subject)
    for directive in _statements(layout(subject)):
        bare = not directive.args and (directive.name in _NEEDED or directive.name == "server_name")
        if (directive.name == "server" and directive.block is not None) or (directive.file, directive.line) in left:
            continue
        if bare or (directive.name in _NEEDED and directive.args[0] == "" and not _is_unused(directive, layout(subject))):
            yield finding("render-empty", f"'{directive.name}' has no value", directive.at, hint)


def _is_unused(directive: Directive, view: Layout) -> bool:
    """Is it the root of a server that answers everything with one status?"""
    owner = next((server for server in view.servers if directive in server.own("root")), None)
    return owner is not None and (owner.target("/") or owner).has("return")


@rule(
    "render-odd-character",
    "error",
    bad=Example(nginx=a_http("client_max_body_size\u00a010m;")),
    good=Example(nginx=a_http("client_max_body_size 10m;")),
)
def odd_character(subject: Subject) -> Found:
    """A character that looks like nothing or like a quote: byte order mark, no-break space, zero-width space, curly quotes.

    They come from text processors and web pages. nginx takes the first three as part of a word and does not start; curly quotes
    are no quotes to it, so they cut nothing off and go out inside the header. php-fpm accepts a byte order mark at the
    beginning of a file. Type the line again with plain blanks and quotes. In plain quotes and comments all of them may stand.
    """
    for mark in odd_characters(subject):
        severity = "warning" if mark.curly else "error"
        hint = "write a plain quote" if mark.curly else "type the line again, with plain blanks"
        yield finding("render-odd-character", f"there is {mark.what} here", mark.at, hint, severity)


def _statements(view: Layout) -> Iterator[Directive]:
    """Every directive once, and the lines of tables, each as an argument of its table."""
    for directive, _ in view.distinct:
        yield directive
        if directive.name in TABLES:
            for line in directive.block or ():
                yield Directive(directive.name, line.args, line.file, line.line, line.column, None, line.arg_lines)


def _words(directive: Directive) -> Iterator[Tuple[str, Location]]:
    """Each argument and where the directive stands: in the line of the argument when that is a later one."""
    for word, line in zip(directive.args, directive.arg_lines or (directive.line,) * len(directive.args)):
        yield word, directive.at if line == directive.line else Location(directive.file, line)


def _entries(subject: Subject) -> Iterator[Entry]:
    if subject.fpm:
        yield from subject.fpm.general.entries
        for pool in subject.fpm.pools.values():
            yield from pool.entries
