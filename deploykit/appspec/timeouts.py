"""How many seconds the agent gives a hook, whatever appspec.yml looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from deploykit.appspec.quick import quick_timeout

if TYPE_CHECKING:
    from deploykit.appspec.spec import Appspec


def timeout_in(raw: bytes, event: str, script: str) -> int:
    """Seconds that the agent gives ``script`` in ``event``; 0 where that cannot be told.

    script: its path below the bundle, ``""`` where it is not known: then the least of all scripts of the event.
    By the cheap way where the file is an ordinary one, else by a full reading. Never raises.
    """
    seconds = quick_timeout(raw, event, script)
    if seconds:
        return seconds
    from deploykit.appspec.reader import judge

    return timeout_of(judge(raw).appspec, event, script)


def timeout_of(appspec: Optional[Appspec], event: str, script: str) -> int:
    """Seconds for ``script`` in ``event``, the least where it stands there twice; 0 where it does not stand there.

    ``""`` as script: the least of all scripts of the event.
    """
    from deploykit.appspec.subject import inside

    scripts = appspec.hooks.get(event, ()) if appspec else ()
    return min((one.timeout for one in scripts if not script or inside(one.location) == inside(script)), default=0)
