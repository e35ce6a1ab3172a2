"""Bundles to look at: a small one that needs no network, and the whole sample application with its libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bundles import Built, build_sample, write_small


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An unpacked bundle: the real launcher and verifier around a program that only tells what it sees."""
    return write_small(tmp_path / "archive")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sample application, bundled once for each test run."""
    return build_sample(tmp_path_factory.mktemp("bundle") / "revision.zip")
