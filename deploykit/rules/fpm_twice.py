"""What is said twice: keys, addresses, pools."""

from __future__ import annotations

from typing import Dict, Iterator, List, Tuple

from deploykit.model import Finding
from deploykit.parsers.php_fpm_directives import ARRAYS
from deploykit.parsers.php_fpm_tree import Entry, Pool, Section
from deploykit.rules.pool_addresses import Address, all_listening
from deploykit.rules.pool_examples import POOL, a_pool
from deploykit.rules.pools import FLAGS, pools_of, sections
from deploykit.rules.rule import Example, Found, Subject, finding, rule

OTHER = POOL.replace("[www]", "[other]")


@rule(
    "fpm-duplicate-key",
    "warning",
    bad=Example(fpm=a_pool() + "pm.max_children = 50\n"),
    good=Example(fpm=a_pool("pm.max_children = 50")),
)
def duplicate_key(subject: Subject) -> Found:
    """The same key twice in a section.

    Of plain directives the last one counts, of env[...], php_value[...] and php_admin_value[...] the first: the other line has
    no effect, whatever it says. Take one of them out. A pool that is continued in a later file (as Docker images do) may
    set a plain directive again; a name in brackets cannot be set again there either.
    """
    if subject.fpm is None:
        return
    for section in (subject.fpm.general, *subject.fpm.pools.values()):
        if len({(entry.key, entry.bracket) for entry in section.entries}) == len(section.entries) and not _flags(section):
            continue
        for _, entries in sections(section):
            yield from _plain_twice([entry for entry in entries if entry.key in section.table])
        yield from _array_twice(section)


def _flags(section: Section) -> bool:
    return any(entry.key in FLAGS for entry in section.entries)


def _plain_twice(entries: List[Entry]) -> Iterator[Finding]:
    first: Dict[str, Entry] = {}
    for entry in entries:
        before = first.get(entry.key)
        if before and before.at != entry.at:
            same = before.value == entry.value
            message = f"{entry.key} stands here and in line {before.line}: " + (
                "both say the same" if same else f"{entry.value!r} counts, not {before.value!r}"
            )
            yield finding("fpm-duplicate-key", message, entry.at, "take one of them out", "info" if same else "")
        first[entry.key] = entry


def _array_twice(section: Section) -> Iterator[Finding]:
    first: Dict[Tuple[str, str], Entry] = {}
    for entry in section.entries:
        if entry.key not in ARRAYS or entry.key == "access.suppress_path":
            continue
        before = first.setdefault((FLAGS.get(entry.key, entry.key), entry.bracket), entry)
        if before.at != entry.at:
            # The values may be secret, so they are not told.
            same = before.value == entry.value
            message = f"{entry.key}[{entry.bracket}] was set before, in {before.at}: the first one counts"
            hint = "both say the same: take one out" if same else "this line has no effect: take one of them out"
            yield finding("fpm-duplicate-key", message, entry.at, hint, "info" if same else "")


@rule(
    "fpm-duplicate-listen",
    "error",
    bad=Example(fpm=POOL + OTHER),
    good=Example(fpm=POOL + OTHER.replace("www.sock", "other.sock")),
)
def duplicate_listen(subject: Subject) -> Found:
    """Two pools at one address.

    php-fpm does not start. It compares the texts only, so that 9000 against 127.0.0.1:9000 passes its own test and fails when
    it binds. Give each pool an address of its own; $pool in the path does that by itself.
    """
    taken: Dict[Tuple[str, int], List[Tuple[Address, Pool]]] = {}
    for pool in pools_of(subject):
        for entry, address in all_listening(pool):
            others = taken.setdefault((address.socket, address.port), [])
            holder = next((other for known, other in others if known.meets(address)), None)
            if holder:
                message = f"pool {pool.name} listens at {entry.value}, where pool {holder.name} listens already"
                at = pool.at if entry.key == "listen" else entry.at
                yield finding("fpm-duplicate-listen", message, at, "give it an address of its own")
            others.append((address, pool))


@rule(
    "fpm-pool-merged",
    "error",
    bad=Example(fpm=POOL + POOL.replace("www.sock", "other.sock").replace("[www]", "[WWW]")),
    good=Example(fpm=POOL + "[www]\npm.max_requests = 500\n"),
)
def pool_merged(subject: Subject) -> Found:
    """Two whole pools of one name.

    php-fpm makes one pool of all sections of a name, in capitals or not, in one file or in several: the last values count, and
    the first one's socket does not exist. A section that leaves out what a pool needs (user, listen, pm, pm.max_children) is
    taken for an addition. Give the second pool another name.
    """
    for pool in pools_of(subject):
        if len(pool.headers) < 2:
            continue
        whole = [at for at, entries in sections(pool) if _stands_alone(entries, bool(pool.entry("user")))]
        for at in whole[1:]:
            message = f"pool {pool.name} is defined here and in {whole[0]}: php-fpm makes one pool of the two"
            yield finding("fpm-pool-merged", message, at, "give it a name of its own")


def _stands_alone(entries: List[Entry], with_user: bool) -> bool:
    """Does a section say all that a pool needs? Images continue their pools with sections that leave the user out."""
    needed = {"listen", "pm", "pm.max_children"} | ({"user"} if with_user else set())
    return needed <= {entry.key for entry in entries}
