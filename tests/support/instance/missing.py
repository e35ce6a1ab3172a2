"""Why this machine cannot run test instances, in words for a skipped test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Tuple

from support.instance import cache

PROGRAMS: Dict[str, str] = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "wget": "wget",
    "curl": "curl",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
HIERARCHIES = Path("/sys/fs/cgroup")


def reason() -> str:
    """What is missing first, ``""`` when instances can run here."""
    if os.geteuid():
        return "test instances need root"
    programs = [name for name in PROGRAMS if not shutil.which(name)]
    if programs:
        packages = " ".join(dict.fromkeys(PROGRAMS[name] for name in programs))
        return f"test instances need {', '.join(programs)}: apt-get install {packages}"
    if "\toverlay\n" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        return "test instances need overlay file systems, and this kernel has none (modprobe overlay)"
    return _folder() or _namespaces() or _cgroups()


def cgroup_roots() -> Tuple[Path, ...]:
    """Folders in which a cgroup of ours has to be made: one, or both parts that systemd uses on an older host."""
    if (HIERARCHIES / "cgroup.controllers").exists():
        return (HIERARCHIES,)
    return tuple(path for path in (HIERARCHIES / "systemd", HIERARCHIES / "unified") if path.is_dir())


def _folder() -> str:
    path = cache.folder()
    kind = subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=True).stdout.strip()
    if kind == "overlayfs" or any(sign in str(path) for sign in ":,\\"):
        return f"test instances cannot lie in {path} ({kind}): name a folder on another file system in DEPLOYKIT_INSTANCES"
    return ""


def _namespaces() -> str:
    tried = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"test instances need namespaces and mounts: {tried.stderr.strip()}" if tried.returncode else ""


def _cgroups() -> str:
    roots = cgroup_roots()
    if not roots or not all(os.access(root, os.W_OK) for root in roots):
        return f"test instances need a cgroup of their own, and {HIERARCHIES} cannot be written"
    return ""
