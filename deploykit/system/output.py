"""What we print: valid UTF-8, lines under 1,000 characters, nothing secret, and the same lines in a log file.

The agent keeps the last 2,048 characters of a failed hook, drops everything before a line longer than that, and dies of
bytes that are not UTF-8; see docs/operations.md.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Any, Dict, List, Mapping, Sequence, Union

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
        self._log = -1
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

    def document(self, body: Union[Dict[str, Any], List[Any]]) -> None:
        """One JSON document on stdout, for a program; secrets are hidden in its texts."""
        import json

        text = json.dumps(self._masked_body(body), indent=2) + "\n"
        _deliver(sys.stdout, text)

    def text(self, document: str) -> None:
        """A document of another form on stdout; secrets are hidden in it."""
        _deliver(sys.stdout, self.masked(document))

    def keep_log(self, path: str) -> None:
        """Write the log to ``path`` (0600, in a folder made for it). A log that cannot be opened is no reason to fail."""
        try:
            os.makedirs(os.path.dirname(path), mode=0o750, exist_ok=True)
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.say(f"no log file: {error}", "yellow")
            return
        self._log, early, self._early = opened, self._early, []
        self.log_path = path
        if early:
            self._keep(early)

    def close(self) -> None:
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def masked(self, text: str) -> str:
        """The text without anything secret."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _clean(self, text: str) -> List[str]:
        """Lines that no reader stumbles over. Secrets are looked for in the whole text: there may be thousands of both."""
        return [_harmless(line) for line in self.masked(text).split("\n")]

    def _masked_body(self, body: Any) -> Any:
        if isinstance(body, str):
            return self.masked(body)
        if isinstance(body, Mapping):
            return {key: self._masked_body(value) for key, value in body.items()}
        return [self._masked_body(value) for value in body] if isinstance(body, (list, tuple)) else body

    def _keep(self, lines: Sequence[str]) -> None:
        if self._log < 0:
            self._early += lines
            return
        try:
            os.write(self._log, ("\n".join(lines) + "\n").encode())
        except OSError as error:  # a full disk fails the run where it matters, not here
            self.close()
            self.say(f"the log ends here: {error}", "yellow")

    def _write(self, line: str) -> None:
        self._write_raw(("\r\x1b[K" if self._terminal else "") + line + "\n")

    def _write_raw(self, text: str) -> None:
        _deliver(self._stream, text)


def _deliver(stream: IO[str], text: str) -> None:
    """Write and flush; when the reader is gone the stream leads nowhere from then on, and the run goes on."""
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()
    except (OSError, ValueError):  # the reader is gone, the disk behind it is full, it is closed
        if stream.closed:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # else what is still buffered breaks the end of the program
        os.close(nowhere)


def _harmless(line: str) -> str:
    if not line.isprintable():
        line = line.encode("utf-8", "replace").decode("utf-8")
        line = "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in line)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 6] + " [...]"


def to_people(stream: IO[str], environment: dict[str, str]) -> Output:
    """Colour on a terminal, unless NO_COLOR is set or the terminal is dumb."""
    colour = stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return Output(stream, colour)
