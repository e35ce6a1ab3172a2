"""The CodeDeploy agent's part: unpacks revisions where the agent does, copies the application, starts the hooks.

A hook gets the agent's five variables and nothing else, not even PATH, and is a unit of the instance's systemd.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence

from support.instance import bundle
from support.instance.bundle import Edits
from support.instance.machine import Machine, Result

APPLICATION = "webapp"
GROUP = "webapp-staging"
GROUP_ID = "6c1f2b1e-5f0c-4a57-9a52-0d3c7c3f5a11"
ROOT = "/opt/codedeploy-agent/deployment-root"
CLEANUP = f"{ROOT}/deployment-instructions/{GROUP_ID}-cleanup"
DESTINATION = "/var/www/webapp"
FAULT = "/root/fault.py"
HOOKS = {
    "ApplicationStop": "application_stop",
    "BeforeInstall": "before_install",
    "AfterInstall": "after_install",
    "ApplicationStart": "application_start",
    "ValidateService": "validate_service",
}


class Revision(NamedTuple):
    """A revision on the instance: its deployment's id and where it is unpacked."""

    deployment: str
    archive: str


class Agent:
    """Deploys revisions to one instance, one after the other."""

    def __init__(self, machine: Machine, scratch: Path, revisions: Sequence[Revision] = ()) -> None:
        self.machine = machine
        self.revisions = list(revisions)
        self._scratch = scratch

    def download(self, edits: Edits = {}) -> Revision:  # noqa: B006
        """DownloadBundle: the checkout with these edits is the next deployment's archive."""
        number = len(self.revisions) + 1
        revision = Revision(f"d-INSTANCE{number}", f"{ROOT}/{GROUP_ID}/d-INSTANCE{number}/deployment-archive")
        self.machine.put(bundle.build(self._scratch / f"bundle-{number}", edits), revision.archive)
        self.revisions.append(revision)
        return revision

    def install(self, revision: Revision) -> None:
        """Install: what the last deployment copied goes, what this one has comes and is noted for the next."""
        script = 'rm -rf "$1" && mkdir -p "$1" "${2%/*}" && cp -R "$0/app/." "$1" && find "$1" >"$2"'
        told = self.machine.run(["sh", "-c", script, revision.archive, DESTINATION, CLEANUP])
        assert told.status == 0, told.output

    def hook(self, event: str, revision: Revision) -> Result:
        """Run an event's hook and wait for it."""
        return self.machine.finish(self.begin(event, revision))

    def begin(self, event: str, revision: Revision, unit: str = "") -> subprocess.Popen[bytes]:
        """Start an event's hook; ``Machine.finish`` waits for it."""
        return self.machine.start([*environment(event, revision), f"{revision.archive}/hooks/{HOOKS[event]}"], unit)

    def hook_with_fault(self, event: str, revision: Revision, when: str, shell: str) -> Result:
        """The same with something happening in the middle: see fault.py."""
        return self.machine.finish(self.begin_with_fault(event, revision, when, shell))

    def begin_with_fault(self, event: str, revision: Revision, when: str, shell: str) -> subprocess.Popen[bytes]:
        """Start it with a fault; ``Machine.finish`` waits for it."""
        self.machine.write(FAULT, Path(__file__).with_name("fault.py").read_text(encoding="utf-8"))
        python = ["/usr/bin/python3", "-I", "-S", "-X", "utf8", FAULT, revision.archive, when, shell, "run", event]
        return self.machine.start([*environment(event, revision), *python])

    def deploy(self, edits: Edits = {}) -> Dict[str, Result]:  # noqa: B006
        """A whole deployment, up to the first hook that fails: event to how it ended."""
        ended = {}
        if self.revisions:
            ended["ApplicationStop"] = self.hook("ApplicationStop", self.revisions[-1])
        revision = self.download(edits)
        for event in list(HOOKS)[1:]:
            if event == "AfterInstall":
                self.install(revision)
            ended[event] = self.hook(event, revision)
            if ended[event].status:
                break
        return ended

    def installed(self, edits: Edits = {}) -> Revision:  # noqa: B006
        """A deployment that has come as far as Install: its AfterInstall is next."""
        revision = self.download(edits)
        self.install(revision)
        return revision


def environment(event: str, revision: Revision) -> List[str]:
    """Words before a command that give it what the agent gives a hook, and take all else away."""
    told = {
        "LIFECYCLE_EVENT": event,
        "APPLICATION_NAME": APPLICATION,
        "DEPLOYMENT_ID": revision.deployment,
        "DEPLOYMENT_GROUP_NAME": GROUP,
        "DEPLOYMENT_GROUP_ID": GROUP_ID,
    }
    return ["env", "-i", *(f"{name}={value}" for name, value in told.items())]
