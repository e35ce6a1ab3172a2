"""What we print: valid UTF-8, lines under 1,000 characters, nothing secret, and the same lines in a log file.

The agent keeps the last 2,048 characters of a failed hook, drops everything before a line longer than that, and dies of
bytes that are not UTF-8; see docs/operations.md.
"""

from __future__ import annotations

import os
import sys
from typing import IO, List, Optional, Sequence

LONGEST_LINE = 990
_SHORTEST_SECRET = 4
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1"}


class Output:
    """Lines to people (``say``), to programs (``document``) and to the log.

    stream: where people read, stderr while a JSON document owns stdout. The log is opened by ``keep_log`` once the run
    has a name; what was said before is written to it first.
    """

    def __init__(self, stream: IO[str], colour: bool) -> None:
        self._stream = stream
        self._colour = colour
        self._terminal = stream.isatty()
        self._secrets: List[str] = []
        self._early: List[str] = []
        self._log: Optional[IO[str]] = None
        self.log_path = ""
        self.ending = "nothing live was changed"  # what a failure left behind; an undo says what it brought back

    def hide(self, secrets: Sequence[str]) -> None:
        """From now on these values are printed as ``***``, longest first so that none is left in part."""
        self._secrets = sorted({*self._secrets, *(s for s in secrets if len(s) >= _SHORTEST_SECRET)}, key=len, reverse=True)

    @property
    def secrets(self) -> Sequence[str]:
        """What is hidden."""
        return self._secrets

    def say(self, text: str, colour: str = "") -> None:
        """One or more lines to people and to the log."""
        lines = self._clean(text)
        for line in lines:
            self._write(f"\x1b[{_COLOURS[colour]}m{line}\x1b[0m" if self._colour and colour else line)
        self._keep(lines)

    def progress(self, text: str) -> None:
        """What is going on, for somebody who watches: on a terminal only, and gone with the next line."""
        if self._terminal:
            self._write_raw(f"\r\x1b[K{self._clean(text)[0]} ...")

    def detail(self, text: str) -> None:
        """Lines for the log alone."""
        self._keep(self._clean(text))

    def document(self, text: str) -> None:
        """A document on stdout, for a program; secrets are hidden there too."""
        sys.stdout.write(self.masked(text) + "\n")
        sys.stdout.flush()

    def keep_log(self, path: str) -> None:
        """Write the log to ``path`` (0600, in a folder made for it). A log that cannot be opened is no reason to fail."""
        try:
            os.makedirs(os.path.dirname(path), mode=0o750, exist_ok=True)
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.say(f"no log file: {error}", "yellow")
            return
        self._log = open(opened, "w", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self._log.writelines(line + "\n" for line in self._early)
        self.log_path = path

    def close(self) -> None:
        if self._log:
            self._log.close()
            self._log = None

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _clean(self, text: str) -> List[str]:
        """Lines that no reader stumbles over. Secrets are looked for in the whole text: there may be thousands of both."""
        return [_harmless(line) for line in self.masked(text).split("\n")]

    def _keep(self, lines: Sequence[str]) -> None:
        if self._log:
            self._log.write("\n".join(lines) + "\n")
            self._log.flush()
        else:
            self._early += lines

    def _write(self, line: str) -> None:
        self._write_raw(("\r\x1b[K" if self._terminal else "") + line + "\n")

    def _write_raw(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._stream = open(os.devnull, "w")  # noqa: SIM115 - the reader is gone; the log goes on


def _harmless(line: str) -> str:
    if not line.isprintable():
        line = line.encode("utf-8", "replace").decode("utf-8")
        line = "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in line)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 6] + " [...]"


def to_people(stream: IO[str], environment: dict[str, str]) -> Output:
    """Colour on a terminal, unless NO_COLOR is set or the terminal is dumb."""
    colour = stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return Output(stream, colour)
