"""deploykit as it lies in a bundle: the checkout's program beside the same libraries that the script uses."""

from __future__ import annotations

import glob
import os
import shutil

from harness.layout import CHECKOUT, Layout, cache_folder

LIBRARIES = ("jinja2", "markupsafe", "yaml", "_yaml", "psutil", "sh", "sh.py", "crossplane")
INPUT = ("deploykit.yml", "appspec.yml", "config_templates")
NO_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")


def bundle(layout: Layout, kind: str, variant: str) -> str:
    """Folder of a bundle with one variant of the input; kind is ``warm`` or ``cold``."""
    return os.path.join(layout.folder, kind, variant)


def arrange_once(layout: Layout, variant: str) -> None:
    """The warm case: made once; bytecode comes with the warm-up round."""
    if not os.path.isdir(bundle(layout, "warm", variant)):
        arrange(layout.input(variant), bundle(layout, "warm", variant))


def arrange_anew(layout: Layout, variant: str) -> None:
    """The cold case: made anew before every run, without a byte of bytecode."""
    shutil.rmtree(bundle(layout, "cold", variant), ignore_errors=True)
    arrange(layout.input(variant), bundle(layout, "cold", variant))


def arrange(source: str, folder: str) -> None:
    """Copy the input and the program, and the libraries to where the launcher looks for a checkout's (``.venv``)."""
    os.makedirs(folder)
    for name in INPUT:
        copy(os.path.join(source, name), os.path.join(folder, name))
    shutil.copytree(os.path.join(CHECKOUT, "deploykit"), os.path.join(folder, "deploykit"), ignore=NO_BYTECODE)
    shutil.copy(os.path.join(CHECKOUT, "run.py"), folder)
    for installed in glob.glob(os.path.join(cache_folder(), "floor/lib/python3*/site-packages")):
        target = os.path.join(folder, ".venv/lib", os.path.basename(os.path.dirname(installed)), "site-packages")
        os.makedirs(target)
        for name in LIBRARIES:
            copy(os.path.join(installed, name), os.path.join(target, name))


def copy(source: str, target: str) -> None:
    """Copy a folder or a file, if it is there."""
    if os.path.isdir(source):
        shutil.copytree(source, target, ignore=NO_BYTECODE)
    elif os.path.exists(source):
        shutil.copy(source, target)
