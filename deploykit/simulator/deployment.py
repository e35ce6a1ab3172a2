"""One deployment: its events in their order, until one fails."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Callable, List

from deploykit.simulator import download, hooks, script
from deploykit.simulator import install as installing
from deploykit.simulator.layout import Layout
from deploykit.simulator.model import FAILED, UNKNOWN, Asked, DeploymentEnd, EventEnd, EventFailed
from deploykit.simulator.order import DOWNLOAD, INSTALL, OLD_REVISION
from deploykit.system import agent_files, sandbox


def deploy(asked: Asked, begins: Callable[[str], None], ends: Callable[[EventEnd], None]) -> DeploymentEnd:
    """Play a deployment. begins gets each event's name, ends what became of it."""
    layout = Layout(asked.root, asked.group_id)
    began = agent_files.monotonic()
    events: List[EventEnd] = []
    for name in asked.events:
        over = any(event.status == "Failed" for event in events)
        if not over:
            begins(name)
        events.append(EventEnd(name, "Skipped") if over else _event(name, asked, layout))
        ends(events[-1])
    return DeploymentEnd(asked, tuple(events), agent_files.monotonic() - began)


def _event(name: str, asked: Asked, layout: Layout) -> EventEnd:
    began = agent_files.monotonic()
    os.makedirs(layout.deployment(asked.deployment), exist_ok=True)
    play = {DOWNLOAD: _download, INSTALL: _install}.get(name)
    end = play(asked, layout) if play else _scripts(name, asked, layout)
    if end.status == "Failed" and asked.forgive_stop and name in OLD_REVISION:
        end = replace(end, status="Ignored")
    return replace(end, seconds=agent_files.monotonic() - began)


def _download(asked: Asked, layout: Layout) -> EventEnd:
    try:
        notes = download.download(asked, layout)
        _made_to_fail(DOWNLOAD, asked)
    except EventFailed as failed:
        return _failed(EventEnd(DOWNLOAD, "Failed"), failed)
    except OSError as error:
        return _failed(EventEnd(DOWNLOAD, "Failed"), EventFailed(f"{error.strerror} - {error.filename}"))
    return EventEnd(DOWNLOAD, "Succeeded", archive=asked.deployment, notes=tuple(notes))


def _install(asked: Asked, layout: Layout) -> EventEnd:
    done = installing.Installed()
    end = EventEnd(INSTALL, "Succeeded", archive=asked.deployment)
    try:
        installing.install(asked, layout, done, broken=asked.fail_event == INSTALL)
    except EventFailed as failed:
        end = _failed(end, failed)
    return replace(end, installed=tuple(done.copied), removed=tuple(done.removed), notes=tuple(done.notes))


def _scripts(name: str, asked: Asked, layout: Layout) -> EventEnd:
    source = hooks.source(name, asked, layout)
    end = EventEnd(name, "Succeeded", archive=os.path.basename(source))
    if not source:
        return _failed(end, _would_fail(name)) if asked.fail_event == name else end
    try:
        spec = hooks.appspec(source, asked)
    except EventFailed as failed:
        return _failed(end, failed)
    if not spec.hooks.get(name) and asked.fail_event != name:
        return end
    own = layout.deployment(asked.deployment)
    _tell_sandbox(asked, source == own)
    log = script.ScriptLog(asked.agent, asked.deployment, f"{own}/logs/scripts.log", layout.deployments_log)
    try:
        hooks.run(name, source, spec, asked, log)
        _made_to_fail(name, asked)
    except EventFailed as failed:
        log.summary(f"{name} failed: {failed.message}")
        end = _failed(end, failed, log.tail.text())
    finally:
        log.close()
    return replace(end, scripts=tuple(log.ends), log=log.tail.text(), notes=tuple(log.notes))


def _tell_sandbox(asked: Asked, new: bool) -> None:
    """What is made to fail fails in the new revision alone: an older deploykit may not know how."""
    if asked.root:
        sandbox.mark(asked.root, (*asked.words, *(asked.fail_words if new else ())))


def _made_to_fail(name: str, asked: Asked) -> None:
    if name == asked.fail_event:
        raise _would_fail(name)


def _would_fail(name: str) -> EventFailed:
    return EventFailed(f"made to fail by --fail-at {name}", UNKNOWN if name == DOWNLOAD else FAILED)


def _failed(end: EventEnd, failed: EventFailed, log: str = "") -> EventEnd:
    return replace(end, status="Failed", code=failed.code, reports=hooks.reports(failed, log), bad_appspec=failed.bad_appspec)
