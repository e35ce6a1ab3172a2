"""Find and read the appspec of an archive, as the agent that is played does."""

from __future__ import annotations

import os

from deploykit.appspec.reader import judge
from deploykit.appspec.spec import Appspec
from deploykit.simulator.model import UNKNOWN, Asked, EventFailed

NAMES = ("appspec.yml", "appspec.yaml")


def for_hooks(archive: str, asked: Asked) -> Appspec:
    """The appspec that names an event's scripts. Version 1 looks for appspec.yml alone. Raises EventFailed."""
    for name in NAMES if asked.agent.lenient_archive else NAMES[:1]:
        if os.path.exists(f"{archive}/{name}"):
            return _read(f"{archive}/{name}", asked, told=1)
    raise EventFailed(
        "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path "
        f'"{NAMES[0]}". The revision was unpacked to directory "{archive}", and the AppSpec file was expected but not found at '
        f'path "{archive}/{NAMES[0]}". Consult the AWS CodeDeploy Appspec documentation for more information at '
        "http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html",
        UNKNOWN,
        told=1,
        bad_appspec=True,
    )


def for_install(archive: str, asked: Asked) -> Appspec:
    """The appspec that says what is installed: under either name. Raises EventFailed."""
    for name in NAMES:
        if os.path.exists(f"{archive}/{name}"):
            return _read(f"{archive}/{name}", asked, told=2)
    raise EventFailed(f"No such file or directory @ rb_sysopen - {archive}/{NAMES[0]}", bad_appspec=True)


def _read(path: str, asked: Asked, told: int) -> Appspec:
    with open(path, "rb") as file:
        report = judge(file.read(), os.path.basename(path), (asked.agent.name,))
    if report.appspec is None:
        first = report.errors[0]
        reason = first.message.partition(": ")[2] or first.message  # without "agent v1 rejects the whole appspec"
        raise EventFailed(f"{first.at}: {reason}", UNKNOWN, told=told, bad_appspec=True)
    if asked.local and asked.agent.splits_command:
        _refuse_what_crashes(report.appspec)
    return report.appspec


def _refuse_what_crashes(spec: Appspec) -> None:
    """codedeploy-local of version 1 does not know two of its own classes; the service's agent does."""
    for permission in spec.permissions:
        missing = "AclInfo" if permission.acls else "ContextInfo" if permission.context else ""
        if missing:
            raise EventFailed(f"NameError: uninitialized constant ApplicationSpecification::{missing}", bad_appspec=True)
