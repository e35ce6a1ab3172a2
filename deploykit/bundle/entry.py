"""One file of the bundle."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN, EXECUTABLE = 0o644, 0o755


@dataclass(frozen=True)
class Entry:
    """A file that travels. path: in the bundle. mode: 0644 or 0755.

    source: where it is read from, ``""`` where ``content`` holds it. size: bytes.
    """

    path: str
    mode: int = PLAIN
    source: str = ""
    content: bytes = b""
    size: int = 0

    def read(self) -> bytes:
        """All its bytes. Raises OSError."""
        if not self.source:
            return self.content
        with open(self.source, "rb") as file:
            return file.read()


def made(path: str, content: bytes, mode: int = PLAIN) -> Entry:
    """A file that the build makes or takes from a wheel."""
    return Entry(path, mode, content=content, size=len(content))
