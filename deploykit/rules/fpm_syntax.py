"""What php-fpm refuses while it reads: the parser's problems, each under the rule that explains it."""

from __future__ import annotations

from typing import FrozenSet

from deploykit.errors import Location
from deploykit.rules.fpm_altered import is_false_word
from deploykit.rules.pool_examples import POOL, a_pool
from deploykit.rules.pools import number, pools_of
from deploykit.rules.rule import Example, Found, Subject, finding, rule


def _problems(id: str, subject: Subject) -> Found:
    for problem in subject.fpm.problems if subject.fpm else ():
        if problem.kind == id:
            yield finding(id, problem.message, problem.at, problem.hint, problem.severity)


@rule(
    "fpm-syntax",
    "error",
    bad=Example(fpm=a_pool("env[DSN] = mysql://u:p(w)@h/db")),
    good=Example(fpm=a_pool('env[DSN] = "mysql://u:p(w)@h/db"')),
)
def syntax(subject: Subject) -> Found:
    """A line that php-fpm cannot read.

    php-fpm hands every line on its own to PHP's ini scanner. A value without quotes may hold none of ( ) & | ! = ^, a quoted
    one ends on its line, a comment begins with a semicolon, and every [section] is closed. php-fpm does not start, or dies at
    the reload. Put the value in double quotes, with a backslash before each double quote and backslash in it.
    """
    return _problems("fpm-syntax", subject)


@rule(
    "fpm-unknown-directive",
    "error",
    bad=Example(fpm=a_pool("pm.max_childrens = 3")),
    good=Example(fpm=a_pool("pm.max_requests = 500")),
)
def unknown_directive(subject: Subject) -> Found:
    """A name that php-fpm does not know, or that belongs into another section.

    Global directives stand in [global], all others in a pool, and settings of php.ini in php_admin_value[...] or
    php_value[...]. Behind an include the section in force is the last one of the last file, so a global directive there
    lands in a pool. php-fpm does not start. Correct the name, or move the line.
    """
    return _problems("fpm-unknown-directive", subject)


@rule(
    "fpm-bad-value",
    "error",
    bad=Example(fpm=a_pool("catch_workers_output = maybe")),
    good=Example(fpm=a_pool("catch_workers_output = yes")),
)
def bad_value(subject: Subject) -> Found:
    """A value that php-fpm refuses.

    A boolean is yes or no, a number is plain digits, a time is digits and at most one of s, m, h, d; priorities, log levels,
    access formats and the paths of status and ping have limits of their own, and the slow log's timeout may not be longer than
    the one that ends a request. php-fpm does not start. Write a value of the kind that the message names.
    """
    words = _words_of_env(subject)
    for found in _problems("fpm-bad-value", subject):
        if found.at not in words:
            yield found
    for pool in pools_of(subject):
        entry = pool.entry("request_slowlog_timeout")
        slow, end = number(pool, "request_slowlog_timeout"), number(pool, "request_terminate_timeout")
        if entry and slow and end and slow > end:
            message = f"request_slowlog_timeout ({slow} s) is longer than request_terminate_timeout ({end} s)"
            yield finding("fpm-bad-value", message, entry.at, "no request lives long enough to be logged: make it shorter")


def _words_of_env(subject: Subject) -> FrozenSet[Location]:
    """Env values that became empty because they are a word of truth: fpm-value-altered tells that better."""
    return frozenset(
        entry.at
        for pool in pools_of(subject)
        for entry in pool.entries
        if entry.key == "env" and not entry.value and is_false_word(entry)
    )


@rule(
    "fpm-include-missing",
    "warning",
    bad=Example(fpm=POOL + "include = /etc/php/8.2/fpm/pool.d/nosuch.conf\n"),
    good=Example(fpm=POOL),
)
def include_missing(subject: Subject) -> Found:
    """An include that takes in nothing.

    For a file that does not exist, or a glob that matches nothing, php-fpm only writes a warning and starts without it: a whole
    site may be missing. A glob in a folder that does not exist is an error, php-fpm does not start. Correct the path, or
    take the include out.
    """
    return _problems("fpm-include-missing", subject)


@rule(
    "fpm-include-depth",
    "error",
    bad=Example(fpm=POOL + "include = /etc/php/8.2/fpm/php-fpm.conf\n"),
    good=Example(fpm=POOL),
)
def include_depth(subject: Subject) -> Found:
    """A file that includes itself, or includes more than five deep.

    php-fpm does not start. Often a glob takes in the very file that it stands in: give the pools a folder of their own.
    """
    return _problems("fpm-include-depth", subject)
