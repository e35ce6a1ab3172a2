"""deploykit as a folder to run from: the checkout's program beside the same libraries that the script uses."""

from __future__ import annotations

import glob
import os
import shutil

from harness.layout import CHECKOUT, Layout, cache_folder

LIBRARIES = ("jinja2", "markupsafe", "yaml", "_yaml", "psutil", "sh", "sh.py", "crossplane")
NO_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")


def warm(layout: Layout) -> str:
    """Folder of the copy that is made once per arena; its bytecode comes with the warm-up."""
    return os.path.join(layout.folder, "warm")


def cold(layout: Layout) -> str:
    """Folder of the copy that is made anew before every run."""
    return os.path.join(layout.folder, "cold")


def arrange_once(layout: Layout) -> None:
    """Make the warm copy if it is not there."""
    if not os.path.isdir(warm(layout)):
        arrange(warm(layout))


def arrange_anew(layout: Layout) -> None:
    """Make the cold copy, without a byte of bytecode."""
    shutil.rmtree(cold(layout), ignore_errors=True)
    arrange(cold(layout))


def arrange(folder: str) -> None:
    """Copy ``run.py`` and the package, and the libraries to where the launcher looks for a checkout's (``.venv``)."""
    shutil.copytree(os.path.join(CHECKOUT, "deploykit"), os.path.join(folder, "deploykit"), ignore=NO_BYTECODE)
    shutil.copy(os.path.join(CHECKOUT, "run.py"), folder)
    for installed in glob.glob(os.path.join(cache_folder(), "floor/lib/python3*/site-packages")):
        target = os.path.join(folder, ".venv/lib", os.path.basename(os.path.dirname(installed)), "site-packages")
        os.makedirs(target)
        for name in LIBRARIES:
            copy_library(os.path.join(installed, name), os.path.join(target, name))


def copy_library(source: str, target: str) -> None:
    """Copy one package or module, if it is there."""
    if os.path.isdir(source):
        shutil.copytree(source, target, ignore=NO_BYTECODE)
    elif os.path.exists(source):
        shutil.copy(source, target)
