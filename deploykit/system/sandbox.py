"""A folder that stands for a machine while ``deploykit simulate`` plays the agent: its mark, and the end of its services.

The agent passes no arguments to a hook, so a hook in a sandbox is told by DEPLOYKIT_ROOT where its machine is. The variable
counts only where the folder bears the mark that ``simulate`` made; the mark also holds further words for the command line.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Sequence, Tuple

    from deploykit.model import Running

VARIABLE = "DEPLOYKIT_ROOT"
MARK = ".deploykit-sandbox"
FOLDERS = ("etc", "opt", "run", "tmp", "var/lib", "var/log", "var/www")
PATIENCE = 5.0  # seconds for a service to end by itself


def make(root: str) -> None:
    """The folders that every machine has; those that are there stay as they are. Others may get through them."""
    for name in ("", *FOLDERS):
        place = os.path.join(root, name)
        if not os.path.isdir(place):
            os.makedirs(place)
            os.chmod(place, 0o755)


def mark(root: str, words: Sequence[str]) -> None:
    """Make the folder a sandbox; words: what each deploykit in it is told beside the root."""
    temporary = f"{root}/{MARK}.new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.writelines(word.replace("\n", " ") + "\n" for word in words)
    os.replace(temporary, f"{root}/{MARK}")


def words(root: str) -> Optional[List[str]]:
    """Words for the command line of whoever runs in this sandbox; None where the folder is none."""
    try:
        with open(f"{root}/{MARK}", encoding="utf-8") as file:
            return ["--root", root, *file.read().splitlines()]
    except OSError:
        return None


def stop(root: str) -> Tuple[List[str], List[str]]:
    """End the services whose pid files lie in the sandbox. Returns titles (of those that ended, of those that did not)."""
    import signal

    services = left = list(_services(root))
    for number in (signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL):
        for service in left:
            _signal(service.pid, number)
        left = _left_after(left)
    return [one.title for one in services if one not in left], [one.title for one in left]


def _services(root: str) -> Iterator[Running]:
    """Masters of pid files below run/. A number that now belongs to somebody else does not name this root in its title."""
    from deploykit.system import processes

    for folder, _, names in os.walk(f"{root}/run"):
        for name in sorted(names):
            found = processes.master(f"{folder}/{name}") if name.endswith(".pid") else None
            if found and root in found.title:
                yield found


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _left_after(services: List[Running]) -> List[Running]:
    import time

    from deploykit.system import processes

    until = time.monotonic() + PATIENCE
    while services and time.monotonic() < until:
        services = [one for one in services if processes.running(one.pid) is not None]
        time.sleep(0.02 if services else 0)
    return services
