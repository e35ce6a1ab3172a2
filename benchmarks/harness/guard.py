"""End in order: a signal must not leave masters behind."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def end_in_order() -> None:
    """Turn SIGTERM and SIGHUP into an ordinary exit, so that every ``finally`` runs."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
