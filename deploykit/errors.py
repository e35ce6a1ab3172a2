"""Every way to end: one class per exit status, each with a place and a hint.

Nothing else in the package is imported here, and no module but the standard library's core:
the errors must be there when everything else is not.
"""

from __future__ import annotations


class Location:
    """A place in a file that the user wrote.

    ``file`` is a path as the user knows it (relative to the bundle); ``line`` and ``column`` count
    from 1, 0 means "not known". ``str(location)`` is ``file:line:column`` with the known parts.
    """

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int = 0, column: int = 0) -> None:
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        known = [self.file] + [str(n) for n in (self.line, self.column) if n]
        return ":".join(known)

    def __repr__(self) -> str:
        return f"Location({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Location) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class DeploykitError(Exception):
    """What is wrong (``message``), where (``at``), and what to do (``hint``).

    The class decides the exit status of the program; only ``cli`` turns one into the other.
    """

    status = 1

    def __init__(self, message: str, *, at: Location | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.at}: {self.message}" if self.at else self.message


class Failed(DeploykitError):
    """A step failed; what had been changed was undone."""

    status = 1


class Refused(DeploykitError):
    """A rule, a check or a guard said no before anything live was changed."""

    status = 3


class UndoFailed(DeploykitError):
    """A step failed and so did its undo: somebody must look."""

    status = 4


class UsageError(DeploykitError):
    """The command line makes no sense."""

    status = 64


class InvalidInput(DeploykitError):
    """deploykit.yml, a template or another file of the user's is wrong. ``more`` holds further errors of the same read."""

    status = 65

    def __init__(
        self,
        message: str,
        *,
        at: Location | None = None,
        hint: str = "",
        more: tuple[InvalidInput, ...] = (),
    ) -> None:
        super().__init__(message, at=at, hint=hint)
        self.more = more


class ToolMissing(DeploykitError):
    """A program or library that this needs is not installed."""

    status = 69


class LockHeld(DeploykitError):
    """Another deploykit is at work on this machine."""

    status = 75


class DeadlineExceeded(DeploykitError):
    """Our own deadline, set below the agent's timeout, has passed."""

    status = 124


class Interrupted(DeploykitError):
    """SIGTERM, SIGINT or SIGHUP asked us to stop."""

    status = 130


_HINTS = {
    1: "run it as root, or with --dry-run",  # EPERM
    13: "run it as root, or with --dry-run",  # EACCES
    28: "free some space or inodes and deploy again",  # ENOSPC
    30: "the file system is mounted read-only: look at dmesg, remount it, deploy again",  # EROFS
    5: "the disk reports errors: look at dmesg and replace the instance",  # EIO
}


def from_os(error: OSError) -> Failed:
    """What the operating system refused, in our words. Errors of ours pass through unchanged by their callers."""
    path = f"{error.filename}: " if error.filename else ""
    return Failed(f"{path}{(error.strerror or str(error)).lower()}", hint=_HINTS.get(error.errno or 0, ""))
