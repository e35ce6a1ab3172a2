"""An event with scripts: from which archive they come, what they see, and how the event ends."""

from __future__ import annotations

import os
from typing import Dict

from deploykit.appspec.spec import Appspec
from deploykit.simulator import appspecs, script, tail
from deploykit.simulator.layout import Layout, archive
from deploykit.simulator.model import Asked, Diagnostics, EventFailed
from deploykit.simulator.order import OLD_REVISION
from deploykit.system import agent_files, sandbox

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = "DEPLOYKIT_PYTHON"


def source(event: str, asked: Asked, layout: Layout) -> str:
    """Folder of the deployment whose scripts the event runs, ``""`` for none.

    The three events before DownloadBundle take the last revision whose files were installed, unless this deployment has an
    archive already: then there is a new script to run.
    """
    own = layout.deployment(asked.deployment)
    if event not in OLD_REVISION or os.path.exists(archive(own)):
        return own
    last = layout.last_successful_folder()
    gone = last and not os.path.exists(archive(last))
    return "" if gone and asked.agent.lenient_archive else last


def appspec(deployment: str, asked: Asked) -> Appspec:
    """The appspec of a deployment's archive. Raises EventFailed."""
    return appspecs.for_hooks(archive(deployment), asked)


def run(event: str, deployment: str, spec: Appspec, asked: Asked, log: script.ScriptLog) -> None:
    """Run the event's scripts from the archive of ``deployment``, until one fails. Raises EventFailed."""
    log.say(f"LifecycleEvent - {event}\n")
    given = environment(event, asked)
    for one in spec.hooks.get(event, ()):
        script.run(one, archive(deployment), given, asked, log)


def environment(event: str, asked: Asked) -> Dict[str, str]:
    """What a hook finds in its environment: as started by systemd, or in local mode the caller's own; and the agent's five.

    In a sandbox two more tell deploykit where its machine is and which Python it runs on.
    """
    base = dict(asked.environment) if asked.local else {"PATH": PATH}
    base.update(
        APPLICATION_NAME=asked.application,
        DEPLOYMENT_GROUP_NAME=asked.group,
        DEPLOYMENT_GROUP_ID=asked.group_id,
        DEPLOYMENT_ID=asked.deployment,
        LIFECYCLE_EVENT=event,
    )
    if not asked.local:
        base.update(_bundle(asked))
    if asked.root:
        import sys

        base[sandbox.VARIABLE] = asked.root
        base[PYTHON] = asked.environment.get(PYTHON) or sys.executable
    return base


def _bundle(asked: Asked) -> Dict[str, str]:
    """A revision from S3 that has no version; the ETag comes in its quotes."""
    name = os.path.basename(asked.revision.rstrip("/"))
    if os.path.isdir(asked.revision):
        return {"BUNDLE_BUCKET": "simulated", "BUNDLE_KEY": f"{name}.zip", "BUNDLE_ETAG": '"00000000000000000000000000000000"'}
    return {"BUNDLE_BUCKET": "simulated", "BUNDLE_KEY": name, "BUNDLE_ETAG": f'"{agent_files.md5(asked.revision)}"'}


def reports(failed: EventFailed, log: str) -> tuple[Diagnostics, ...]:
    """What the agent sends: the failure with its log, or the little that is left of it where the log is no UTF-8; then, from
    an outer rescue, the same words again as an unknown error without a log."""
    again = Diagnostics("5", "", failed.message, "")
    if failed.told == 1:
        return (again,)
    if failed.code == int(again.code):
        return (again, again)
    if not tail.is_utf8(log):
        message, lost = "Attempting minimal diagnostics", "Exception JSON::GeneratorError occured"
        return (Diagnostics("Unknown", failed.script, message, lost), again)
    return (Diagnostics(str(failed.code), failed.script, failed.message, log), again)
