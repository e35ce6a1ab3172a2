"""The stages in their order: what every event that touches the configuration has in common.

settle     load, gather, resolve       what holds for this environment on this machine
propose    render, plan, check         the proved plan; changes nothing
carry_out  apply, reload, verify       with the journal around them: all of it, or none
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import List, Optional, Sequence, Tuple

from deploykit import record as records
from deploykit import steps, transaction
from deploykit.config.folders import missing_folders
from deploykit.journal import Journal
from deploykit.model import Candidate, Facts, Outcome, Plan, Request, Settings, Verdict
from deploykit.places import record as record_path
from deploykit.secrets import secret_values
from deploykit.services import running, sockets
from deploykit.stages.check import check, stop_on_errors
from deploykit.stages.former import former
from deploykit.stages.gather import gather
from deploykit.stages.installed import missing
from deploykit.stages.load import load
from deploykit.stages.plan import plan as compare
from deploykit.stages.reload import reload
from deploykit.stages.render import locator, render, render_probes
from deploykit.stages.resolve import resolve
from deploykit.stages.verify import verify
from deploykit.system.output import Output
from deploykit.system.port import Machine, Readable, Scratch

NOT_NEEDED = "not needed"
JUDGING = 60.0  # seconds that the judge may take, if the event has as many
_WORKER = "php_worker_mb"


def settle(request: Request, machine: Readable, output: Output) -> Settings:
    """deploykit.yml as it holds here. Secrets are hidden from the output from here on."""
    config = load(request.bundle, machine)
    facts = _steady(gather(config.services, request.prefix, machine), read_record(request.prefix, machine))
    settings = resolve(config, facts, request, machine)
    output.hide(secret_values(settings))
    return settings


def propose(request: Request, machine: Scratch, output: Output, asking: bool = True) -> Plan:
    """The plan for the whole configuration, judged. Raises Refused when the judge finds an error.

    asking: the rehearsal also asks for the pages of ``probes:``, for which the application must be there.
    """
    candidate = _candidate(request, machine, output)
    output.progress("judging the candidate in private")
    absent = missing(request, machine) if asking and candidate.probes else ""
    plan = _judged(request, candidate if asking and not absent else replace(candidate, probes=()), machine)
    settings = candidate.settings
    notes = (f"{absent} is not there yet: the rehearsal asked for no page",) if absent else ()
    record = records.dump(settings.environment, candidate.targets, int(settings.facts[_WORKER]))
    steps_after = tuple(settings.events.get(request.event, ()))
    return replace(plan, record=record, steps=steps_after, probes=candidate.probes, notes=(*plan.notes, *notes))


def propose_former(request: Request, journals: Sequence[Journal], machine: Scratch, output: Output) -> Plan:
    """The plan that brings back what was live before these runs, judged in the same way."""
    settings = settle(request, machine, output)
    changes, record = former(journals, machine)
    coming = missing_folders((c.path.rpartition("/")[0] for c in changes if c.action != "remove"), machine)
    candidate = Candidate(settings, (), changes, tuple(coming), newest=_newest(settings, machine))
    leaving = tuple(dict.fromkeys(folder for journal in journals for folder in journal.folders))
    return replace(_judged(request, candidate, machine), record=record, leaving=leaving)


def judge(request: Request, machine: Scratch, output: Output) -> Tuple[Candidate, Verdict]:
    """An environment's candidate and the verdict on it, errors included."""
    candidate = _candidate(request, machine, output)
    output.progress("judging the candidate in private")
    if missing(request, machine):
        candidate = replace(candidate, probes=())
    return candidate, check(candidate, machine, locator(candidate.settings, machine))


def _candidate(request: Request, machine: Scratch, output: Output) -> Candidate:
    settings = settle(request, machine, output)
    output.progress("rendering")
    targets = render(settings, machine)
    newest = _newest(settings, machine)
    found = compare(settings, targets, read_record(request.prefix, machine), machine)
    probes, seconds = render_probes(settings), min(JUDGING, request.deadline / 2)
    return Candidate(settings, targets, found.changes, found.folders, probes, found.unchanged, seconds, newest)


def _judged(request: Request, candidate: Candidate, machine: Scratch) -> Plan:
    settings, services = candidate.settings, candidate.settings.services
    proved = machine.proved()
    owed = running.owed([s for s in services.values() if s.name not in proved], machine)
    verdict = Verdict("proved before, and unchanged since: files and processes")
    if candidate.changes or owed or len(proved) < len(services):
        verdict = check(candidate, machine, locator(settings, machine))
        stop_on_errors(verdict)
    alive = running.names(services.values(), machine)
    changed = {change.service for change in candidate.changes}
    return Plan(
        request=request,
        settings=settings,
        changes=candidate.changes,
        folders=candidate.folders,
        due=tuple(name for name in services if name in alive and (name in changed or name in owed)),
        owed=owed,
        moves=sockets.moves(services["php-fpm"], candidate.changes),
        probes=candidate.probes,
        verdict=verdict,
        notes=_notes(settings, alive),
        owner=machine.own_ids(),
        unchanged=candidate.unchanged,
        newest=candidate.newest,
    )


def carry_out(plan: Plan, machine: Machine, output: Output) -> Outcome:
    """Make the plan true and prove it, or bring everything back. Raises what went wrong, after the undo.

    The event's steps belong to it: when one fails, the configuration goes back too.
    """
    if not plan.changes and not plan.due and _recorded(plan, machine):
        steps_done = run_steps(plan, machine, output)
        return Outcome(
            "", f"{plan.unchanged} files as they should be, nothing to reload", notes=steps_done.notes, newest=plan.newest
        )
    with transaction.begin(plan, machine, output) as journal:
        output.progress("switching files")
        transaction.put_live(plan, journal, machine)
        output.progress(f"reloading {' and '.join(plan.due) or 'nothing'}")
        mark = partial(transaction.note, plan, machine)
        notes = [*plan.verdict.notes, *reload(plan.settings.services, plan.due, plan.moves, machine, mark)]
        newest = _newest(plan.settings, machine)
        notes += _ask(plan, machine, output)
        run_steps(plan, machine, output)
    _leave(plan, machine)
    return Outcome(journal.run, _summary(plan), len(plan.changes), plan.due, tuple(notes), newest)


def _leave(plan: Plan, machine: Machine) -> None:
    """Folders that an undone run had made go with it, if nothing is in them any more."""
    inside = [folder for folder in plan.leaving if any(folder.startswith(root + "/") for root in plan.settings.writable)]
    for folder in sorted(inside, reverse=True):
        if machine.find(folder).kind == "folder" and not machine.names(folder):
            machine.remove_folder(folder)


def _ask(plan: Plan, machine: Machine, output: Output) -> List[str]:
    """Ask the probes of what was reloaded. Where one service does not run, no page can come through both."""
    if not plan.due:
        return []
    services = plan.settings.services
    dead = [name for name in services if name not in running.names(services.values(), machine)]
    if dead:
        return [f"{' and '.join(dead)} does not run, so no probe was asked; ValidateService asks them"]
    output.progress("asking the probes")
    verify(plan.probes, machine, plan.request.deadline, output.detail)
    return []


def remember(plan: Plan, outcome: Outcome, machine: Machine, output: Output, inputs: Optional[Sequence[str]] = None) -> None:
    """Note what is proved. That this fails is no reason to fail: the next run only takes longer.

    inputs: files besides the bundle's own that it was made from; None when the next run must not end early by it.
    """
    if outcome.newest != _newest(plan.settings, machine):
        output.say("somebody changed configuration files meanwhile: the next run looks at everything again", "yellow")
        return
    try:
        machine.remember(tuple(plan.settings.services.values()), inputs, plan.verdict.outside)
    except OSError as error:
        output.say(f"the proof cannot be remembered: {error}", "yellow")


def _newest(settings: Settings, machine: Readable) -> float:
    """When the content, owner or mode of a live file last changed; names that come and go do not count, since ours do."""
    return machine.newest_change([path for service in settings.services.values() for path in service.writable], False)


def _recorded(plan: Plan, machine: Readable) -> bool:
    """Does the record name the files of this plan already? What a worker was measured to cost is no reason to write it."""
    return replace(records.parse(plan.record), worker_mb=0) == replace(read_record(plan.request.prefix, machine), worker_mb=0)


def read_record(prefix: str, machine: Readable) -> records.Record:
    """What the last release put live; empty when nothing was, or when it is not ours to read."""
    path = record_path(prefix)
    try:
        return records.parse(machine.read(path))
    except OSError:
        return records.Record()


def _steady(facts: Facts, record: records.Record) -> Facts:
    """Fresh workers are small: what a worker may cost never shrinks, or a reload alone would change the next run's files."""
    worker = max(int(facts.values[_WORKER]), record.worker_mb)
    return replace(facts, values={**facts.values, _WORKER: worker})


def _notes(settings: Settings, alive: Tuple[str, ...]) -> Tuple[str, ...]:
    notes: List[str] = list(settings.facts.get("assumed", ()))
    notes += [f"{name} is not running; ApplicationStart starts it" for name in settings.services if name not in alive]
    return tuple(notes)


def _summary(plan: Plan) -> str:
    counts = {word: sum(c.action == action for c in plan.changes) for action, word in _WORDS.items()}
    files = ", ".join(f"{n} {word}" for word, n in counts.items() if n) or "0 files changed"
    reloads = " and ".join(plan.due)
    reloaded = f"{reloads} reloaded and proved" if reloads else "nothing to reload"
    return f"{files}; {reloaded}; judged before: {plan.verdict.judge}"


_WORDS = {"create": "created", "replace": "changed", "attributes": "owner or mode changed", "remove": "removed"}


def plan_steps(request: Request, machine: Scratch, output: Output) -> Plan:
    """A plan of nothing but the event's steps."""
    settings = settle(request, machine, output)
    planned = tuple(settings.events.get(request.event, ()))
    for step in planned:
        steps.find(step).decide(step)
    return Plan(request=request, settings=settings, steps=planned, verdict=Verdict(NOT_NEEDED), owner=machine.own_ids())


def run_steps(plan: Plan, machine: Machine, output: Output) -> Outcome:
    """Carry out the event's steps, one after the other. Raises Failed at the first that fails."""
    for step in plan.steps:
        output.say(f"step {step.name} ({step.at})")
        steps.find(step).carry_out(step, machine, output)
    count = len(plan.steps)
    return Outcome("", f"{count} step{'s' * (count != 1)} done" if count else "no steps, nothing to do")
