"""A journal around a change: everything in the block becomes true, or everything is as before.

An open journal is undone, by the run itself or by the next one. The rename of the journal to its finished name is the
moment at which a run is done; what follows is tidying up, which the next run finishes if this one cannot.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from deploykit import __version__, places
from deploykit import journal as journals
from deploykit.errors import DeploykitError, Failed, Interrupted, UndoFailed, from_os
from deploykit.journal import Entry, Journal
from deploykit.model import Plan, SocketMoves
from deploykit.record import digest
from deploykit.services import generation, running
from deploykit.stages.apply import apply, entries, prepare
from deploykit.stages.reload import reload
from deploykit.stages.undo import undo
from deploykit.system.output import Output
from deploykit.system.port import Machine, Readable

KEEP_RUNS = 10  # of those that are done, and of those that were undone
AFTER_TERM = 3.0  # seconds to see the old configuration answer: the agent kills five seconds after its TERM
PATIENCE = 15.0


@contextmanager
def begin(plan: Plan, machine: Machine, output: Output) -> Iterator[Journal]:
    """Open a journal for ``plan``; close it when the block ends, or undo when it raises. Raises what the block raised,
    or UndoFailed when the undo failed too."""
    prefix = plan.request.prefix
    journal = _journal(plan, _run_name(prefix, machine), machine)
    machine.allow(journal.roots)
    try:
        yield journal
    except BaseException as error:
        with machine.uninterrupted():
            take_back(prefix, machine, output, error)
        raise _ours(error) from error.__cause__
    with machine.uninterrupted():
        _commit(journal, prefix, machine, output)


def put_live(plan: Plan, journal: Journal, machine: Machine) -> None:
    """Write the journal, then the files."""
    prepare(plan, journal, machine)
    apply(plan, journal, machine)


def note(plan: Plan, machine: Machine, mark: str) -> None:
    """Add a mark to the open journal; it is on disk when this returns."""
    machine.append(places.journal(plan.request.prefix), journals.mark_line(mark))


def recover(prefix: str, machine: Machine, output: Output) -> bool:
    """Tidy up or undo what an earlier run left. True when there was something. Raises UndoFailed, and whatever signal
    came meanwhile: a run that was asked to stop does not go on to deploy."""
    finished = finished_journal(prefix, machine)
    journal = finished or open_journal(prefix, machine)
    if journal is None:
        return False
    machine.allow(journal.roots)
    with machine.uninterrupted(then_raise=True):
        if finished:
            _tidy(finished, prefix, machine)
            output.say(f"run {journal.run} ({journal.event}) was cut off after it was proved: tidied up")
        else:
            output.say(f"run {journal.run} ({journal.event}) was cut off: undoing it first", "yellow")
            take_back(prefix, machine, output, None)
    return True


def open_journal(prefix: str, machine: Readable) -> Optional[Journal]:
    """The journal of a run that is to be undone, if any."""
    return _read(places.journal(prefix), machine)


def finished_journal(prefix: str, machine: Readable) -> Optional[Journal]:
    """The journal of a run that is proved, and of which something is still to be tidied up, if any."""
    return _read(places.finished(prefix), machine)


def take_back(prefix: str, machine: Machine, output: Output, cause: Optional[BaseException]) -> None:
    """Undo the open journal: files, then services that may have seen the new ones. Raises UndoFailed."""
    try:
        journal = open_journal(prefix, machine)
        if journal is None:  # nothing was done yet
            _drop(places.journal(prefix) + ".new", machine)
            return
        loaded = _may_have_loaded(journal, machine)
        remarks = [*undo(journal, prefix, machine), *_old_again(journal, loaded, machine, cause)]
        _close(places.journal(prefix), journal, "undone", prefix, machine)
    except (OSError, DeploykitError) as error:
        output.ending = "the undo failed: files may be mixed, look before you deploy again"
        problem = from_os(error) if isinstance(error, OSError) else error
        first = f"; it was to undo this: {cause}" if cause else ""
        hint = f"the next run, or 'deploykit undo', tries again. {problem.hint}".strip()
        raise UndoFailed(f"the undo failed: {problem}{first}", hint=hint) from cause
    for remark in remarks:
        output.say(remark, "yellow")
    output.ending = _undone(journal, loaded, remarks)
    output.say(output.ending, "yellow")
    if not remarks:
        _remember(journal, machine)


def _may_have_loaded(journal: Journal, machine: Readable) -> Tuple[str, ...]:
    """Services that were told of the new files, were started since (by a reboot, say), or are down though they ran."""
    found = list(journal.reloaded)
    for service in journal.services:
        if service.name in journal.due and service.name not in found:
            master = generation.master(service, machine)
            if master is None or generation.began(master, machine) > journal.started:
                found.append(service.name)
    return tuple(found)


def _old_again(journal: Journal, loaded: Sequence[str], machine: Machine, cause: Optional[BaseException]) -> List[str]:
    """Reload what may have seen the new files. A service that lives but is slow to answer is left to the next run."""
    services = {service.name: service for service in journal.services}
    seconds = AFTER_TERM if isinstance(cause, Interrupted) else PATIENCE
    try:
        reload(services, loaded, SocketMoves(), machine, lambda _: None, seconds)
    except Failed as error:
        dead = set(loaded) - set(running.names(journal.services, machine))
        if dead:
            raise
        return [f"told to go back, but not seen to have done it: {error.message}; the next run looks again"]
    return []


def _commit(journal: Journal, prefix: str, machine: Machine, output: Output) -> None:
    try:
        machine.rename(places.journal(prefix), places.finished(prefix))
        machine.sync([places.home(prefix)])
    except OSError as error:
        if machine.find(places.journal(prefix)).there:
            take_back(prefix, machine, output, error)
            raise from_os(error) from error
    output.ending = "the new configuration is live and proved, and stays"
    try:
        _tidy(journal, prefix, machine)
    except OSError as error:
        output.say(f"done, but not tidied up: {from_os(error)}", "yellow")


def _tidy(journal: Journal, prefix: str, machine: Machine) -> None:
    """Move the old files into the history, and the journal after them."""
    for entry in journal.entries:
        if entry.old and machine.find(entry.old).there:
            machine.move(entry.old, entry.kept)
    _close(places.finished(prefix), journal, "journal", prefix, machine)


def _close(path: str, journal: Journal, name: str, prefix: str, machine: Machine) -> None:
    machine.rename(path, f"{places.run(prefix, journal.run)}/{name}")
    machine.sync([places.home(prefix)])
    for end in ("journal", "undone"):
        runs = [run for run in machine.names(places.history(prefix)) if _ended(run, end, prefix, machine)]
        for run in runs[:-KEEP_RUNS]:
            if run != journal.run:
                _forget(places.run(prefix, run), machine)


def _ended(run: str, end: str, prefix: str, machine: Readable) -> bool:
    return machine.find(f"{places.run(prefix, run)}/{end}").there


def _forget(folder: str, machine: Machine) -> None:
    for name in machine.names(folder + "/kept"):
        machine.remove(f"{folder}/kept/{name}")
    if machine.find(folder + "/kept").there:
        machine.remove_folder(folder + "/kept")
    for name in machine.names(folder):
        machine.remove(f"{folder}/{name}")
    machine.remove_folder(folder)


def _drop(path: str, machine: Machine) -> None:
    if machine.find(path).there:
        machine.remove(path)


def _remember(journal: Journal, machine: Machine) -> None:
    try:
        machine.remember(journal.services, None, None)
    except OSError:
        return  # it only saves time


def _read(path: str, machine: Readable) -> Optional[Journal]:
    return journals.parse(machine.read(path), path) if machine.find(path).there else None


def _ours(error: BaseException) -> BaseException:
    return from_os(error) if isinstance(error, OSError) else error


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
        bridges=(Entry("create", bridge[0], "php-fpm", "", "", "", digest(bridge[1].encode())),) if bridge else (),
        folders=plan.folders,
        due=plan.due,
        services=tuple(plan.settings.services.values()),
        roots=(*writable, *(folder for folder in plan.folders if not _is_below(folder, writable))),
    )


def _is_below(path: str, roots: Iterable[str]) -> bool:
    """Does a root hold this path already? As a root of its own it might be a symbolic link."""
    return any(path == root or path.startswith(root + "/") for root in roots)


def _run_name(prefix: str, machine: Readable) -> str:
    """The time, but never before the newest run there is, whatever the clock says: names sort in the order of the runs."""
    name = machine.timestamp()
    newest = max(machine.names(places.history(prefix)), default="")
    if name > newest:
        return name
    base, number = newest[: len(name)], newest[len(name) + 1 :]
    return f"{base}-{int(number or 1) + 1:03d}"


def _undone(journal: Journal, loaded: Sequence[str], remarks: Sequence[str]) -> str:
    files = sum(1 for entry in journal.entries if entry.service)
    back = f"{' and '.join(loaded)} back on the old configuration" if loaded else "no service had seen it"
    besides = ", but for the remarks above" if remarks else ""
    return f"undone: {files} file{'s' * (files != 1)} as before{besides}; {back}"
