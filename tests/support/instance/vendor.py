"""``vendor/`` of a bundle: the run-time libraries, laid out as run.py looks for them, good for every supported Python."""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

from support.instance import cache

OLDEST = "3.9"
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
SETUP = Path(__file__).parents[3] / "setup.cfg"


def build() -> Path:
    """The folder ``vendor``, made by pip on the first call. Raises RuntimeError with pip's words."""
    wanted = _requirements()
    name = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
    made = cache.folder() / "libraries" / name
    if not made.exists():
        with cache.locked("libraries"):
            if not made.exists():
                _build(wanted, made)
    return made


def _requirements() -> List[str]:
    setup = configparser.ConfigParser()
    setup.read(SETUP, encoding="utf-8")
    return setup["options"]["install_requires"].split("\n")[1:]


def _build(wanted: List[str], made: Path) -> None:
    unfinished = made.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    machine = os.uname().machine
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={OLDEST}"]
    platforms = [f"--platform={name}_{machine}" for name in PLATFORMS]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", f"--target={unfinished}/lib"]
    told = subprocess.run([*pip, *options, *platforms, *wanted], capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(f"pip could not fetch the run-time libraries: {told.stderr.strip()}")
    _divide(unfinished, machine)
    unfinished.rename(made)


def _divide(folder: Path, machine: str) -> None:
    """psutil is for this kind of machine and any Python; parts of the others that are for one Python only can be missed."""
    (folder / machine).mkdir()
    (folder / "lib/psutil").rename(folder / machine / "psutil")
    shutil.rmtree(folder / "lib/bin", ignore_errors=True)
    for compiled in (folder / "lib").rglob("*.so"):
        compiled.unlink()
