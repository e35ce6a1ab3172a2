"""From the command line to a request: the agent's environment is read here, once."""

from __future__ import annotations

import argparse
import os

from deploykit.appspec.timeouts import timeout_in
from deploykit.model import Request

AGENT_DEFAULT = 3600.0  # seconds, where appspec.yml names no timeout


def request(arguments: argparse.Namespace, event: str = "") -> Request:
    """What was asked for. The agent's variables only choose: group, application and deployment."""
    return Request(
        event=event,
        bundle=arguments.bundle,
        prefix=arguments.root,
        environment=arguments.env,
        variables=arguments.var,
        application=os.environ.get("APPLICATION_NAME", ""),
        group=os.environ.get("DEPLOYMENT_GROUP_NAME", ""),
        deployment=os.environ.get("DEPLOYMENT_ID", ""),
        deadline=getattr(arguments, "deadline", 0.0) or own_deadline(arguments.bundle, event),
    )


def own_deadline(bundle: str, event: str) -> float:
    """Seconds that a run may take: the hook's timeout in appspec.yml, less what an undo needs.

    The agent sends TERM at its timeout, and version 2 of it KILL five seconds later: an undo must be over by then.
    """
    try:
        with open(bundle + "/appspec.yml", "rb") as file:
            seconds = float(timeout_in(file.read(), event, "") or AGENT_DEFAULT)
    except OSError:
        seconds = AGENT_DEFAULT
    return max(seconds - min(max(seconds * 0.2, 5.0), 30.0), 1.0)
