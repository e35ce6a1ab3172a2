"""Values that php-fpm takes, and that are not what was meant."""

from __future__ import annotations

import re

from deploykit.parsers.php_fpm_directives import SECONDS, Kind, integer, time
from deploykit.parsers.php_fpm_tree import Entry, Section
from deploykit.rules.fpm_altered import QUOTE, is_false_word, is_switch, reason
from deploykit.rules.pool_examples import a_pool
from deploykit.rules.pools import in_effect, pools_of
from deploykit.rules.rule import Example, Found, Subject, finding, rule

MOST = 2**31 - 1
# -1 is listen.backlog's "as much as the kernel has"; the others have rules of their own that say what is allowed.
NEGATIVE = ("listen.backlog", "process.priority", "process.max", "log_limit")
NUMBERED = ("pm.max_children", "pm.start_servers", "pm.min_spare_servers", "pm.max_spare_servers", "pm.max_spawn_rate")
_NUMBER = re.compile(r"\s*(-?[0-9]+)\s*([smhd]?)\Z")


def _kind(section: Section, entry: Entry) -> Kind:
    return section.table[entry.key].kind


@rule(
    "fpm-number-range",
    "warning",
    bad=Example(fpm=a_pool("pm.max_requests = 99999999999")),
    good=Example(fpm=a_pool("pm.max_requests = 500")),
)
def number_range(subject: Subject) -> Found:
    """A number that is negative or greater than 2147483647.

    php-fpm keeps 32 bits of it without a word: 99999999999 becomes 1215752191. Write a number that fits.
    """
    for section in _sections(subject):
        for entry in in_effect(section):
            if entry.key in section.table and _kind(section, entry) in (integer, time):
                problem = _out_of_range(entry)
                if problem:
                    yield finding("fpm-number-range", f"{entry.key} = {entry.value} {problem}", entry.at)


def _out_of_range(entry: Entry) -> str:
    match = _NUMBER.match(entry.value)
    if match is None:
        return ""
    value = int(match.group(1)) * SECONDS.get(match.group(2), 1)
    if value < 0 and entry.key not in NEGATIVE and entry.key not in NUMBERED:
        return "is negative"
    if abs(value) > MOST:
        return f"does not fit into 32 bits: at most {MOST}"
    return ""


def _sections(subject: Subject) -> tuple[Section, ...]:
    return (subject.fpm.general, *subject.fpm.pools.values()) if subject.fpm else ()


@rule(
    "fpm-time-value",
    "error",
    bad=Example(fpm=a_pool("request_terminate_timeout = 500ms")),
    good=Example(fpm=a_pool("request_terminate_timeout = 90s")),
)
def time_value(subject: Subject) -> Found:
    """A time that is not a whole number and at most one of s, m, h, d.

    php-fpm looks at the last letter and at the digits in front: 500ms are 500 seconds, 1.5m and 1h30m are one minute. Write a
    whole number of seconds.
    """
    for section in _sections(subject):
        for entry in in_effect(section):
            if entry.key in section.table and _kind(section, entry) is time and not _NUMBER.match(entry.value):
                seconds = section.number(entry.key)
                if entry.value[-1:] in SECONDS or entry.value[-1:].isdigit():
                    message = f"{entry.key} = {entry.value} is taken for {seconds} s"
                    yield finding("fpm-time-value", message, entry.at, "write a whole number, then at most one of s, m, h, d")


@rule(
    "fpm-value-altered",
    "error",
    bad=Example(fpm=a_pool("env[DB_PASSWORD] = p;w")),
    good=Example(fpm=a_pool('env[DB_PASSWORD] = "p;w"')),
)
def value_altered(subject: Subject) -> Found:
    """A value that php-fpm changes while it reads.

    Outside quotes ; begins a comment, ' a quote, | & ^ ~ ! are operators, yes and on become 1, no, none and null nothing, and
    names of PHP's constants their values. ${NAME} is replaced in double quotes too, $pool in any, and an env value that begins
    with $ is copied from php-fpm's environment. The service gets another text and says nothing. Put the value in double
    quotes; a text that begins with $ or holds $pool cannot be written at all. on, yes and true in a variable that is no
    secret are a warning: most applications take the 1 for the same.
    """
    environment = subject.around.environment
    for section in pools_of(subject):
        for entry in section.entries:
            why = reason(entry, environment)
            if why:
                name = f"{entry.key}[{entry.bracket}]" if entry.bracket else entry.key
                severity = "warning" if is_switch(entry) else ""
                yield finding("fpm-value-altered", f"{name}: {why}", entry.at, _altered_hint(why), severity)


def _altered_hint(why: str) -> str:
    if why.startswith("${"):
        return "set it in php-fpm's unit, or write \\${ in double quotes for the text itself"
    return "no quoting helps: choose another value, or set it in php-fpm's unit and copy it" if "$" in why else QUOTE


@rule(
    "fpm-env-unset",
    "warning",
    bad=Example(fpm=a_pool("env[DB_HOST] = $DB_HOST"), around={"environment": {"PATH": "/usr/bin"}}),
    good=Example(fpm=a_pool("env[PATH] = $PATH"), around={"environment": {"PATH": "/usr/bin"}}),
)
def env_unset(subject: Subject) -> Found:
    """An environment variable that php-fpm's service does not have.

    env[X] = $Y copies Y from the environment of php-fpm's master, which systemd starts with very few variables: workers see an
    empty text. With ${Y} an empty value can make php-fpm refuse the file. Set the variable in the unit (Environment= or
    EnvironmentFile=), or write the value itself. Judged only where the service's environment is known.
    """
    environment = subject.around.environment
    if environment is None or subject.fpm is None:
        return
    for problem in subject.fpm.problems:
        if problem.kind == "fpm-env-unset":
            yield finding("fpm-env-unset", problem.message, problem.at, "set it in php-fpm's unit", "error")
    for section in pools_of(subject):
        for entry in section.array("env").values():
            name = entry.value[1:] if entry.value.startswith("$") else ""
            if name and name not in environment and not reason(entry, environment) and not is_false_word(entry):
                message = f"env[{entry.bracket}] is empty: php-fpm's service has no variable {name}"
                yield finding("fpm-env-unset", message, entry.at, "set it in php-fpm's unit, or write the value itself")
