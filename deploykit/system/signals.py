"""SIGTERM, SIGINT, SIGHUP and our own deadline, as exceptions of the run that they end."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Dict, Optional

from deploykit.errors import DeadlineExceeded, Interrupted

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Watch:
    """While it is entered, a signal or the end of ``seconds`` raises in the main thread; ``hold`` puts that off."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._held = 0
        self.pending = 0
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> Watch:
        for number in (*_STOPPING, signal.SIGALRM):
            self._before[number] = signal.signal(number, self._arrived)
        signal.setitimer(signal.ITIMER_REAL, max(self._seconds, 0.001))
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self, then_raise: bool = False) -> Hold:
        """A block in which nothing is raised. then_raise: what arrived meanwhile is raised at its end, else dropped."""
        return Hold(self, then_raise)

    def _arrived(self, number: int, _: Optional[FrameType]) -> None:
        if self._held:
            self.pending = self.pending or number
            return
        self.end(number)

    def end(self, number: int) -> None:
        """Raise what a signal means."""
        if number == signal.SIGALRM:
            hint = "raise timeout: in appspec.yml, or find out what takes so long in the log"
            raise DeadlineExceeded(
                f"not done after {self._seconds:.0f} s, our own deadline below the agent's timeout", hint=hint
            )
        raise Interrupted(f"stopped by {signal.Signals(number).name}")

    def enter_hold(self) -> None:
        self._held += 1

    def leave_hold(self) -> None:
        self._held -= 1


class Hold:
    """What ``Watch.hold`` returns."""

    def __init__(self, watch: Watch, then_raise: bool) -> None:
        self._watch = watch
        self._then_raise = then_raise

    def __enter__(self) -> None:
        self._watch.enter_hold()

    def __exit__(self, kind: object, *_: object) -> None:
        self._watch.leave_hold()
        if self._then_raise and self._watch.pending and kind is None:
            self._watch.end(self._watch.pending)
