"""A journal around a change: everything in the block becomes true, or everything is as before."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterable, Iterator, Optional

from deploykit import __version__, places
from deploykit import journal as journals
from deploykit.errors import DeploykitError, UndoFailed, from_os
from deploykit.journal import Entry, Journal
from deploykit.model import Plan, SocketMoves
from deploykit.record import digest
from deploykit.stages.apply import apply, entries, prepare
from deploykit.stages.reload import reload
from deploykit.stages.undo import discard, undo
from deploykit.system.output import Output
from deploykit.system.port import Machine, Readable

KEEP_RUNS = 10


@contextmanager
def begin(plan: Plan, machine: Machine, output: Output) -> Iterator[Journal]:
    """Open a journal for ``plan``; close it when the block ends, or undo when it raises. Raises what the block raised,
    or UndoFailed when the undo failed too."""
    journal = _journal(plan, _run_name(plan.request.prefix, machine), machine)
    prefix = plan.request.prefix
    machine.allow(journal.roots)
    try:
        yield journal
    except BaseException as error:
        with machine.uninterrupted():
            take_back(prefix, machine, output, error)
        raise _ours(error) from error.__cause__
    with machine.uninterrupted():
        _commit(journal, prefix, machine, output)


def _commit(journal: Journal, prefix: str, machine: Machine, output: Output) -> None:
    try:
        machine.append(places.journal(prefix), journals.mark_line(journals.DONE))
    except OSError as error:
        take_back(prefix, machine, output, error)
        raise from_os(error) from error
    output.ending = "the new configuration is live and proved, and stays"
    try:
        close(journal, prefix, machine)
    except OSError as error:  # it is proved and on disk that it is: the next run finishes tidying up
        output.say(f"done, but not tidied up: {from_os(error)}", "yellow")


def _ours(error: BaseException) -> BaseException:
    return from_os(error) if isinstance(error, OSError) else error


def put_live(plan: Plan, journal: Journal, machine: Machine) -> None:
    """Write the journal, then the files."""
    prepare(plan, journal, machine)
    apply(plan, journal, machine)


def note(plan: Plan, mark: str, machine: Machine) -> None:
    """Add a mark to the open journal; it is on disk when this returns."""
    machine.append(places.journal(plan.request.prefix), journals.mark_line(mark))


def recover(prefix: str, machine: Machine, output: Output) -> bool:
    """Finish or undo what an earlier run left open. True when there was something. Raises UndoFailed."""
    journal = open_journal(prefix, machine)
    if journal is None:
        return False
    machine.allow(journal.roots)
    with machine.uninterrupted():
        if journal.done:
            discard(journal, machine)
            close(journal, prefix, machine)
            output.say(f"run {journal.run} ({journal.event}) was cut off after it was proved: finished")
        else:
            output.say(f"run {journal.run} ({journal.event}) was cut off: undoing it first", "yellow")
            take_back(prefix, machine, output, None)
    return True


def open_journal(prefix: str, machine: Readable) -> Optional[Journal]:
    """The journal of a run that has not ended, if any."""
    path = places.journal(prefix)
    return journals.parse(machine.read(path), path) if machine.find(path).there else None


def take_back(prefix: str, machine: Machine, output: Output, cause: Optional[BaseException]) -> None:
    """Undo the open journal: files, then services that may have seen the new ones."""
    try:
        journal = open_journal(prefix, machine)
        if journal is None:
            _drop_torn_journal(prefix, machine)
            return
        for remark in undo(journal, prefix, machine):
            output.say(remark, "yellow")
        reload({s.name: s for s in journal.services}, journal.reloaded, SocketMoves(), machine, lambda _: None)
        close(journal, prefix, machine)
        machine.remember(journal.services, None)
    except (OSError, DeploykitError) as error:
        hint = f"the next run, or 'deploykit undo', tries again; what was replaced lies in {places.history(prefix)}"
        output.ending = "the undo failed: files may be mixed, look before you deploy again"
        raise UndoFailed(f"the undo failed: {error}", hint=hint) from cause
    output.ending = _undone(journal)
    output.say(output.ending, "yellow")


def close(journal: Journal, prefix: str, machine: Machine) -> None:
    """Move the journal into the history: from then on no run is open."""
    machine.rename(places.journal(prefix), places.run(prefix, journal.run) + "/journal")
    machine.sync([places.home(prefix)])
    for name in machine.names(places.history(prefix))[:-KEEP_RUNS]:
        _forget(places.run(prefix, name), machine)


def _journal(plan: Plan, run: str, machine: Readable) -> Journal:
    bridge, writable = plan.moves.bridge, plan.settings.writable
    return Journal(
        run=run,
        event=plan.request.event,
        deploykit=__version__,
        started=machine.wall_clock(),
        deployment=plan.request.deployment,
        environment=plan.settings.environment,
        entries=tuple(entries(plan, run, machine)),
        bridges=(Entry("create", bridge[0], "php-fpm", "", "", digest(bridge[1].encode())),) if bridge else (),
        folders=plan.folders,
        services=tuple(plan.settings.services.values()),
        roots=(*writable, *(folder for folder in plan.folders if not _is_below(folder, writable))),
    )


def _is_below(path: str, roots: Iterable[str]) -> bool:
    """Does a root hold this path already? As a root of its own it might be a symbolic link."""
    return any(path == root or path.startswith(root + "/") for root in roots)


def _run_name(prefix: str, machine: Readable) -> str:
    name = machine.timestamp()
    taken = machine.names(places.history(prefix))
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def _drop_torn_journal(prefix: str, machine: Machine) -> None:
    """Not even the first line of the journal is whole: nothing was done, and there is nothing to undo."""
    if machine.find(places.journal(prefix)).there:
        machine.remove(places.journal(prefix))


def _forget(folder: str, machine: Machine) -> None:
    for name in machine.names(folder + "/kept"):
        machine.remove(f"{folder}/kept/{name}")
    if machine.find(folder + "/kept").there:
        machine.remove_folder(folder + "/kept")
    for name in machine.names(folder):
        machine.remove(f"{folder}/{name}")
    machine.remove_folder(folder)


def _undone(journal: Journal) -> str:
    files = sum(1 for entry in journal.entries if entry.service)
    reloads = (
        f"; {' and '.join(journal.reloaded)} back on the old configuration" if journal.reloaded else "; no service had seen it"
    )
    return f"undone: {files} file{'s' * (files != 1)} as before{reloads}"
