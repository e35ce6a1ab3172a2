"""Which processes there are, from /proc: cheap enough to look many times in a second.

psutil is used where it knows more than one file of /proc does (memory shared between workers), and only then imported.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence, Tuple

from deploykit.model import Running

if TYPE_CHECKING:
    import psutil


def running(pid: int) -> Optional[Running]:
    """The process of this number with its start time and title, None when there is none or it is a zombie.

    The title is the command line, which nginx and php-fpm replace by what each of their processes does; the padding
    they leave behind it is taken off.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            title = file.read()
    except OSError:
        return None
    fields = stat[stat.rfind(b")") + 2 :].split()  # the name in parentheses may itself hold blanks and parentheses
    if fields[0] in (b"Z", b"X"):
        return None
    return Running(pid, int(fields[19]), title.replace(b"\0", b" ").decode("utf-8", "replace").strip())


def master(pid_file: str) -> Optional[Running]:
    """The live process that a pid file names; None when the file is missing, empty or stale."""
    try:
        with open(pid_file, "rb") as file:
            text = file.read(32).strip()
    except OSError:
        return None
    return running(int(text)) if text.isdigit() and int(text) > 0 else None


def children(pid: int) -> Tuple[Running, ...]:
    """Direct children of a process, by number; ``()`` when it has none or is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            numbers = [int(number) for number in file.read().split()]
    except FileNotFoundError:  # a kernel without that file, or a process that has just ended
        numbers = _children_by_scan(pid) if os.path.isdir(f"/proc/{pid}") else []
    except OSError:
        return ()
    found = (running(number) for number in sorted(numbers))
    return tuple(child for child in found if child)


def _children_by_scan(pid: int) -> List[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == pid]


def _parent(number: str) -> int:
    try:
        with open(f"/proc/{number}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return 0
    return int(stat[stat.rfind(b")") + 2 :].split()[1])


def worker_memory_mb(pids: Sequence[int]) -> int:
    """MiB that the largest of these processes really costs, rounded up to a multiple of 8; 0 when none can be looked at.

    The proportional set size, where shared pages count by their share, or what is resident where the kernel does not
    tell another user's.
    """
    import psutil  # 20 ms that only this needs

    largest = 0
    for pid in pids:
        try:
            worker = psutil.Process(pid)
            largest = max(largest, _proportional(worker) or worker.memory_info().rss)
        except (psutil.Error, OSError):
            continue
    eight = 8 << 20
    return -(-largest // eight) * 8


def _proportional(worker: psutil.Process) -> int:
    import psutil

    try:
        return int(worker.memory_full_info().pss)
    except (psutil.Error, OSError):
        return 0


def measure(workers: Sequence[int]) -> Dict[str, int]:
    """``cores`` that are online, ``memory_mb`` of the machine in MiB, ``worker_mb`` as :func:`worker_memory_mb`."""
    return {
        "cores": os.cpu_count() or 1,
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "worker_mb": worker_memory_mb(workers) if workers else 0,
    }
