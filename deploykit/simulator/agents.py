"""The two agents, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Agent:
    """What one agent does otherwise than the other.

    splits_command: a script's path is a command line (blanks part words, some characters call a shell), and /bin/sh runs
    what the kernel does not know. no_stdin: /dev/null in the place of a closed pipe. grace: seconds from TERM to KILL.
    strict_utf8: bytes that are no text break the log. bytes_tail: the console's 2048 are bytes, with times. lenient_archive: an
    old archive that is gone is passed over, and appspec.yaml is as good as appspec.yml.
    """

    name: str
    splits_command: bool
    no_stdin: bool
    grace: Optional[float]
    strict_utf8: bool
    bytes_tail: bool
    lenient_archive: bool


V1 = Agent("v1", True, False, None, strict_utf8=True, bytes_tail=False, lenient_archive=False)
V2 = Agent("v2", False, True, 5.0, strict_utf8=False, bytes_tail=True, lenient_archive=True)
AGENTS = {"v1": V1, "v2": V2}
