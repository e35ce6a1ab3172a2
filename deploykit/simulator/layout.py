"""Where the agent keeps things, below the folder that stands for ``/``.

/opt/codedeploy-agent/deployment-root/<group id>/<deployment id>/deployment-archive, bundle.tar, logs/scripts.log
                                      deployment-instructions/<group id>_last_successful_install and others
                                      deployment-logs/codedeploy-agent-deployments.log
"""

from __future__ import annotations

import os
from typing import Tuple

AGENT = "/opt/codedeploy-agent/deployment-root"


class Layout:
    """The agent's paths for one deployment group."""

    def __init__(self, root: str, group_id: str) -> None:
        self.base = root + AGENT
        self.group_id = group_id
        self.group = f"{self.base}/{group_id}"
        self.instructions = f"{self.base}/deployment-instructions"
        self.cleanup = f"{self.instructions}/{group_id}-cleanup"
        self.install = f"{self.instructions}/{group_id}-install.json"
        self.last_successful = f"{self.instructions}/{group_id}_last_successful_install"
        self.most_recent = f"{self.instructions}/{group_id}_most_recent_install"
        self.deployments_log = f"{self.base}/deployment-logs/codedeploy-agent-deployments.log"

    def deployment(self, name: str) -> str:
        """The folder of a deployment."""
        return f"{self.group}/{name}"

    def last_successful_folder(self) -> str:
        """The deployment whose Install copied files last, ``""`` for none."""
        return _first_line(self.last_successful)

    def deployments(self) -> Tuple[str, ...]:
        """Names of the deployments that still have a folder."""
        try:
            return tuple(sorted(os.listdir(self.group)))
        except OSError:
            return ()


def archive(deployment: str) -> str:
    """Where a deployment's revision lies unpacked."""
    return f"{deployment}/deployment-archive"


def below(root: str, path: str, folder: str = "/") -> str:
    """A path of the machine as it is below ``root``; a relative one begins in ``folder``. ``..`` does not lead out."""
    whole = os.path.normpath("/" + os.path.join(folder, path))
    return root + "/" + whole.lstrip("/")


def write(path: str, text: str) -> None:
    """Write one of the agent's own files."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""
