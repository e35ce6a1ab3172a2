"""Bundles to look at: a small one that needs no network, and the whole sample application with its libraries."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Callable, Dict

import pytest
from support.bundles import TOP, Built, build_sample, write_small

from deploykit.bundle.ignore import ignored
from deploykit.bundle.tree import walk


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An unpacked bundle: the real launcher and verifier around a program that only tells what it sees."""
    return write_small(tmp_path / "archive")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sample application, bundled once for each test run."""
    return build_sample(tmp_path_factory.mktemp("bundle") / "revision.zip")


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[[Dict[str, str]], Path]:
    """A copy of what of this repository travels, with files added or replaced."""

    def make(files: Dict[str, str]) -> Path:
        top = tmp_path / "checkout"
        text = (TOP / ".deployignore").read_text("utf-8")
        for entry in walk(str(TOP), ignored(text), set(), lambda _: None).entries:
            path = top / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(entry.source, path)
            path.chmod(entry.mode)
        for name, content in files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
        return top

    return make
