"""A suite's root: Debian or Ubuntu with systemd, nginx and php-fpm, made once by debootstrap and then only read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import List

from support.instance import archives, cache

PACKAGES = "systemd,systemd-sysv,dbus,iproute2,procps,nginx,php-fpm,python3,curl,ca-certificates"
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "console-getty.service")
SCRIPTS = Path("/usr/share/debootstrap/scripts")
FORMAT = "1"  # counts up when a root has to be made anew


def build(suite: str) -> Path:
    """The suite's root, built on the first call (1 to 2 minutes, 300 MB). Raises archives.NoArchive."""
    root = cache.folder() / "roots" / f"{suite}-{FORMAT}"
    if root.exists():
        return root
    with cache.locked(f"root-{suite}") as lock:
        if not root.exists():
            _build(suite, root, lock)
    return root


def _build(suite: str, root: Path, lock: int) -> None:
    archive = archives.find(suite)
    unfinished = root.with_suffix(".part")
    root.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(unfinished, ignore_errors=True)
    log = root.with_suffix(".log")
    with open(log, "wb") as told:
        # The lock goes along: were we killed, the next build would wait until this debootstrap has ended.
        made = subprocess.run(
            _debootstrap(suite, unfinished, archive),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            pass_fds=[lock],
            env={**os.environ, **archives.proxies(), "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
    if made.returncode:
        last = "".join(log.read_text("utf-8", "replace").splitlines(True)[-5:])
        raise RuntimeError(f"debootstrap {suite} failed, {log} has it all:\n{last}")
    _finish(unfinished)
    unfinished.rename(root)


def _debootstrap(suite: str, target: Path, archive: archives.Archive) -> List[str]:
    """In a mount namespace of its own, so that one which is cut off leaves no /proc mounted in its target."""
    trust = [f"--keyring={archive.keyring}", f"--components={archive.components}"]
    words = ["debootstrap", "--variant=minbase", *trust, f"--include={PACKAGES}", suite, str(target), archive.url]
    unknown = [] if (SCRIPTS / suite).exists() else [str(SCRIPTS / ("jammy" if "ubuntu" in archive.keyring else "sid"))]
    return ["unshare", "--mount", *words, *unknown]


def _finish(root: Path) -> None:
    """What debootstrap copies from this machine goes, and what every instance must have of its own is left empty."""
    for name in ("etc/hostname", "etc/hosts", "etc/machine-id", "etc/resolv.conf", "var/lib/dbus/machine-id"):
        (root / name).unlink(missing_ok=True)  # it may be a symbolic link: never written through
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n", encoding="ascii")
    (root / "etc/machine-id").touch()  # empty, so that every instance gets an id of its own, and no first-boot presets
    (root / "var/lib/dbus").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    for name in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(root / name, ignore_errors=True)
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        if not link.is_symlink():
            link.symlink_to("/dev/null")
