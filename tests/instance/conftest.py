"""Real machines for tests: a fresh one for each test, of every suite in ``DEPLOYKIT_SUITES`` (by default bookworm)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import pytest
from support.instance import archives, missing, roots
from support.instance.agent import Agent
from support.instance.machine import Machine


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "suite" in metafunc.fixturenames:
        suites = [name.strip() for name in os.environ.get("DEPLOYKIT_SUITES", "bookworm").split(",") if name.strip()]
        metafunc.parametrize("suite", suites, scope="session")


@pytest.fixture(scope="session")
def root(suite: str) -> Path:
    """The suite's root; the test is skipped with the reason where there can be none."""
    reason = missing.reason()
    if reason:
        pytest.skip(reason)
    try:
        return roots.build(suite)
    except archives.NoArchive as error:
        pytest.skip(str(error))


@pytest.fixture
def machine(root: Path) -> Iterator[Machine]:
    """A machine that has just booted, with what Debian's packages serve."""
    with Machine(root) as made:
        yield made


@pytest.fixture
def agent(machine: Machine, tmp_path: Path) -> Agent:
    """The agent of that machine, which has deployed nothing yet."""
    return Agent(machine, tmp_path)


@pytest.fixture
def deployed(agent: Agent) -> Agent:
    """The agent after a first deployment."""
    for event, ended in agent.deploy().items():
        assert ended.status == 0, f"{event}: {ended.output}"
    return agent
