"""Which events a deployment has, in which order, and from which archive each takes its scripts."""

from __future__ import annotations

import difflib
from typing import List, Sequence, Tuple

from deploykit.errors import UsageError

DOWNLOAD, INSTALL = "DownloadBundle", "Install"
OLD_REVISION = ("BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop")
ALL = (
    *OLD_REVISION,
    DOWNLOAD,
    "BeforeInstall",
    INSTALL,
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
WITHOUT_LOAD_BALANCER = tuple(event for event in ALL if "Traffic" not in event)


def events(chosen: str, load_balancer: bool) -> Tuple[str, ...]:
    """The events of an in-place deployment, or those that were chosen (with commas between them), as the agent's own command
    line takes them: DownloadBundle and Install come in front where they are missing. Raises UsageError.
    """
    if not chosen:
        return ALL if load_balancer else WITHOUT_LOAD_BALANCER
    names = [known(name.strip()) for name in chosen.split(",") if name.strip()]
    if not names:
        raise UsageError("--events names no event", hint=f"the events are {', '.join(ALL)}")
    _check_places(names)
    return tuple(_completed(names))


def known(name: str) -> str:
    """The name, if it is an event. Raises UsageError with the nearest one."""
    if name in ALL:
        return name
    near = difflib.get_close_matches(name.lower(), [event.lower() for event in ALL], 1)
    hint = next((f"did you mean {event}?" for event in ALL if near and event.lower() == near[0]), "")
    raise UsageError(f"unknown event {name!r}", hint=hint or f"the events are {', '.join(ALL)}")


def _check_places(names: Sequence[str]) -> None:
    new = [event for event in ALL if event not in (*OLD_REVISION, DOWNLOAD, "BeforeInstall", INSTALL)]
    for place, wrong in ((DOWNLOAD, (*new, INSTALL)), (INSTALL, tuple(new))):
        early = names[: names.index(place)] if place in names else ()
        for name in early:
            if name in wrong:
                raise UsageError(f"--events: {name} cannot come before {place}", hint="the agent's command line refuses that")


def _completed(names: Sequence[str]) -> List[str]:
    whole = [event for event in (DOWNLOAD, INSTALL) if event not in names] + list(names)
    download, install = whole.index(DOWNLOAD), whole.index(INSTALL)
    if install < download:
        whole[download], whole[install] = INSTALL, DOWNLOAD
    return whole
