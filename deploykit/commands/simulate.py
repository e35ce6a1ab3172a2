"""``deploykit simulate``: play the CodeDeploy agent with one or more revisions, and tell what the on-call person would see."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Tuple

from deploykit.errors import UsageError
from deploykit.simulator import order, report
from deploykit.simulator.agents import AGENTS
from deploykit.simulator.deployment import deploy
from deploykit.simulator.layout import Layout
from deploykit.simulator.model import Asked, DeploymentEnd, EventEnd
from deploykit.system import agent_files, sandbox
from deploykit.system.failing import PLACES
from deploykit.system.output import Output

FAILED, BAD_APPSPEC = 1, 65
LOCAL_GROUP, LOCAL_GROUP_ID = "LocalFleet", "default-local-deployment-group"


def run(arguments: argparse.Namespace, door: object, output: Output) -> int:
    """Play each revision in turn. Returns 0, 1 when a deployment failed, 65 when the last failure was the appspec's."""
    _check(arguments)
    if arguments.root:
        sandbox.make(arguments.root)
        sandbox.mark(arguments.root, ())
    ends: List[DeploymentEnd] = []
    stopped: List[str] = []
    try:
        for asked in _deployments(arguments):
            ends.append(_play(asked, output))
    finally:
        if arguments.root:
            sandbox.mark(arguments.root, tuple(_words(arguments)))
            stopped = [] if arguments.keep else _stop(arguments.root, output)
    if arguments.json:
        output.document(_document(arguments, ends, stopped))
    return _status(ends)


def _play(asked: Asked, output: Output) -> DeploymentEnd:
    output.say(f"{asked.deployment}: {asked.revision} (agent {asked.agent.name}, group {asked.group})", "bold")

    def told(event: EventEnd) -> None:
        for text, colour in report.event_lines(event, asked.deployment):
            output.say(text, colour)

    end = deploy(asked, lambda event: output.progress(f"  {event}"), told)
    for text, colour in report.console_lines(end.failed) if end.failed else ():
        output.say(text, colour)
    verdict = f"failed at {end.failed.event}" if end.failed else "succeeded"
    output.say(f"{asked.deployment}: {verdict} after {end.seconds:.2f} s", "red" if end.failed else "green")
    return end


def _check(arguments: argparse.Namespace) -> None:
    """Raises UsageError for what makes no sense, before anything is touched."""
    if not arguments.root and os.geteuid() != 0:
        hint = "name a folder that stands for the machine: --root ./sandbox"
        raise UsageError("without --root this machine itself is deployed to, and only root can do that", hint=hint)
    if arguments.deployment_id and len(arguments.revision) > 1:
        raise UsageError("--deployment-id names one deployment, and there are several revisions")
    if "/" in arguments.deployment_id or "/" in arguments.group:
        raise UsageError("a deployment's id and a group's name hold no slash")
    for path in arguments.revision or (arguments.bundle,):
        if not os.path.isdir(path) and not agent_files.is_zip(path):
            raise UsageError(f"{path}: neither a folder nor a zip file", hint="--revision names a bundle, packed or not")
    _fail_at(arguments)
    order.events(arguments.events, arguments.load_balancer)


def _deployments(arguments: argparse.Namespace) -> Iterator[Asked]:
    revisions = [os.path.abspath(path) for path in arguments.revision or (arguments.bundle,)]
    event, words = _fail_at(arguments)
    for number, revision in enumerate(revisions, 1):
        asked = _asked(arguments, revision)
        last = number == len(revisions)
        yield replace(asked, fail_event=event, fail_words=words) if last else asked


def _asked(arguments: argparse.Namespace, revision: str) -> Asked:
    agent = AGENTS[arguments.agent]
    group, group_id = (LOCAL_GROUP, LOCAL_GROUP_ID) if arguments.local else (arguments.group, _group_id(arguments.group))
    return Asked(
        root=arguments.root,
        agent=agent,
        revision=revision,
        deployment=arguments.deployment_id or _next_id(arguments, group_id),
        group=group,
        group_id=group_id,
        application=arguments.application or (revision if arguments.local else "simulated"),
        events=order.events(arguments.events, arguments.load_balancer or arguments.local),
        environment=dict(os.environ),
        folder=os.getcwd(),
        local=arguments.local,
        behaviour=arguments.file_exists_behavior,
        retain=arguments.max_revisions,
        forgive_stop=arguments.ignore_application_stop_failures,
        words=tuple(_words(arguments)),
    )


def _words(arguments: argparse.Namespace) -> Iterator[str]:
    """What each deploykit in the sandbox is told besides its root."""
    if arguments.env:
        yield from ("--env", arguments.env)
    for name, value in arguments.var.items():
        yield from ("--var", f"{name}={str(value).lower() if isinstance(value, bool) else value}")


def _fail_at(arguments: argparse.Namespace) -> Tuple[str, Tuple[str, ...]]:
    """(The event that ends as failed, words that make a deploykit in the sandbox fail.)"""
    if not arguments.fail_at:
        return "", ()
    if arguments.fail_at in PLACES:
        if not arguments.root:
            raise UsageError("--fail-at breaks a step only in a sandbox", hint="name one by --root DIR")
        return "", ("--fail-at", arguments.fail_at)
    try:
        return order.known(arguments.fail_at), ()
    except UsageError as error:
        hint = f"{error.hint}; or one of {', '.join(PLACES)}"
        raise UsageError(f"--fail-at: {arguments.fail_at!r} is neither an event nor a step", hint=hint) from None


def _group_id(group: str) -> str:
    """A group's id is a UUID; here the same name has the same one every time."""
    import hashlib

    digits = hashlib.sha256(group.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def _next_id(arguments: argparse.Namespace, group_id: str) -> str:
    """Ids count up, so that one can see which deployment was when; the agent's are random."""
    layout = Layout(arguments.root, group_id)
    if arguments.local and arguments.agent == "v2":
        return next(name for name in (f"local-{os.getpid() + n}" for n in range(999)) if name not in layout.deployments())
    names = [*layout.deployments(), os.path.basename(layout.last_successful_folder())]
    numbers = [int(name[2:11]) for name in names if name.startswith("d-") and name[2:11].isdigit()]
    return f"d-{max(numbers, default=0) + 1:09d}{'-local' if arguments.local else ''}"


def _stop(root: str, output: Output) -> List[str]:
    ended, left = sandbox.stop(root)
    for title in ended:
        output.say(f"stopped {title}", "dim")
    for title in left:
        output.say(f"still running: {title}", "red")
    return ended


def _document(arguments: argparse.Namespace, ends: List[DeploymentEnd], stopped: List[str]) -> Dict[str, Any]:
    return {
        "root": arguments.root or "/",
        "agent": arguments.agent,
        "status": "Failed" if any(end.failed for end in ends) else "Succeeded",
        "deployments": [report.document(end) for end in ends],
        "stopped": stopped,
    }


def _status(ends: List[DeploymentEnd]) -> int:
    failures = [end.failed for end in ends if end.failed]
    if not failures:
        return 0
    return BAD_APPSPEC if failures[-1].bad_appspec else FAILED
