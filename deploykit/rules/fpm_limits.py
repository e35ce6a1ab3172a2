"""Limits of processes and open files."""

from __future__ import annotations

from deploykit.rules.pool_examples import POOL, a_pool
from deploykit.rules.pools import fits, number, pools_of
from deploykit.rules.rule import Example, Found, Subject, Surroundings, finding, rule


@rule(
    "fpm-process-max",
    "warning",
    bad=Example(fpm="process.max = 2\n" + POOL),
    good=Example(fpm="process.max = 20\n" + POOL),
)
def process_max(subject: Subject) -> Found:
    """process.max is less than what the pools start with.

    php-fpm starts fewer workers than they ask for and writes one warning: the last pools may get none. Raise process.max, or
    let the pools start fewer.
    """
    most = number(subject.fpm.general, "process.max") if subject.fpm else None
    entry = subject.fpm.general.entry("process.max") if subject.fpm else None
    first = sum(max(pool.first_workers, 0) for pool in pools_of(subject))
    if entry and most and 0 < most < first:
        message = f"process.max is {most}, and the pools start with {first} workers"
        yield finding("fpm-process-max", message, entry.at, "raise it, or lower the pools' numbers")


@rule(
    "fpm-rlimit",
    "warning",
    bad=Example(fpm=a_pool("rlimit_files = 99999999"), around={"nr_open": 1048576}),
    good=Example(fpm=a_pool("rlimit_files = 65535"), around={"nr_open": 1048576}),
)
def rlimit(subject: Subject) -> Found:
    """rlimit_files is more than the machine allows.

    Above fs.nr_open, and above the service's own limit where php-fpm does not run as root, it is silently not applied: the old
    limit holds. As root without CAP_SYS_RESOURCE, as in containers, the service's limit holds too, which is an info. Lower it,
    or set LimitNOFILE= in the unit. Judged only where the limits are known.
    """
    if subject.fpm is None:
        return
    for section in (subject.fpm.general, *subject.fpm.pools.values()):
        entry, files = section.entry("rlimit_files"), number(section, "rlimit_files")
        severity, limit = _exceeded(files or 0, subject.around)
        if entry and severity and fits(section, "rlimit_files"):
            message = f"rlimit_files is {files}, above {limit}: it is not applied"
            yield finding("fpm-rlimit", message, entry.at, "lower it, or set LimitNOFILE= in php-fpm's unit", severity)


def _exceeded(files: int, around: Surroundings) -> tuple[str, str]:
    if around.nr_open is not None and files > around.nr_open:
        return "warning", f"the kernel's fs.nr_open ({around.nr_open})"
    if around.open_files is not None and files > around.open_files:
        return "info" if around.as_root else "warning", f"the service's limit ({around.open_files})"
    return "", ""
