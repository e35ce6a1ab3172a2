"""Real machines for tests: a fresh one for each test, of every suite in ``DEPLOYKIT_SUITES`` (by default bookworm)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, List, NamedTuple

import pytest
from support.instance import archives, missing, roots
from support.instance.agent import Agent, Revision
from support.instance.machine import Machine


class Deployed(NamedTuple):
    """A disk to begin with, and what is deployed on it."""

    disk: Path
    revisions: List[Revision]


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


@pytest.fixture(scope="session")
def deployed_once(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The disk of a machine on which the first deployment was made, for all tests that begin behind it."""
    scratch = tmp_path_factory.mktemp("deployed")
    with Machine(root) as machine:
        agent = Agent(machine, scratch)
        for event, ended in agent.deploy().items():
            assert ended.status == 0, f"{event}: {ended.output}"
        machine.cut_power()
        machine.disk.copy(scratch / "disk")
    return Deployed(scratch / "disk", agent.revisions)


@pytest.fixture
def machine(request: pytest.FixtureRequest, root: Path) -> Iterator[Machine]:
    """A machine that has just booted, with what Debian's packages serve; or with the sample application, for ``deployed``."""
    like = request.getfixturevalue("deployed_once").disk if "deployed" in request.fixturenames else None
    with Machine(root, like) as made:
        yield made


@pytest.fixture
def agent(machine: Machine, tmp_path: Path) -> Agent:
    """The agent of a machine, which has deployed nothing yet."""
    return Agent(machine, tmp_path)


@pytest.fixture
def deployed(machine: Machine, deployed_once: Deployed, tmp_path: Path) -> Agent:
    """The agent of a machine that was booted after a first deployment."""
    return Agent(machine, tmp_path, deployed_once.revisions)
