"""deploykit as it lies in a bundle: the checkout's program beside the same libraries that the script uses."""

from __future__ import annotations

import glob
import os
import shutil

from harness.layout import CHECKOUT, Layout, cache_folder

LIBRARIES = ("jinja2", "markupsafe", "yaml", "_yaml", "psutil", "sh", "sh.py", "crossplane")
PARTS = ("run.py", "deploykit", ".venv")
MARK = ".warm"
NO_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")


def arrange_once(layout: Layout, variant: str) -> None:
    """The warm case: copied into the bundle once; bytecode comes with the warm-up round."""
    bundle = layout.input(variant)
    if not os.path.exists(os.path.join(bundle, MARK)):
        arrange_anew(layout, variant)
        open(os.path.join(bundle, MARK), "x", encoding="ascii").close()


def arrange_anew(layout: Layout, variant: str) -> None:
    """The cold case: copied into the bundle before every run, without a byte of bytecode."""
    bundle = layout.input(variant)
    for name in (MARK, *PARTS):
        path = os.path.join(bundle, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
    arrange(bundle)


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
