"""ApplicationStop runs from the previous revision's archive: if it failed, every later deployment would fail."""

from __future__ import annotations

import pytest
from support.instance.agent import Agent, Revision
from support.instance.machine import Machine
from support.instance.services import both

pytestmark = [pytest.mark.instance, pytest.mark.services, pytest.mark.root]

DAMAGES = {
    "nothing": "true",
    "deploykit.yml is not YAML": "printf 'services: [\\n' >deploykit.yml",
    "deploykit.yml is gone": "rm deploykit.yml",
    "the templates are gone": "rm -r config_templates",
    "the libraries are gone": "rm -r vendor",
    "the environment's name is gone": "sed -i 's/-staging/-elsewhere/' deploykit.yml",
    "the services are gone": "rm /usr/sbin/nginx /usr/sbin/php-fpm*",
    "the disk is read-only": "mount -t tmpfs -o ro tmpfs /var/lib/deploykit",
    "another run holds the lock": "systemd-run --quiet flock /var/lib/deploykit/lock sleep 2; sleep 0.3",
}


@pytest.fixture
def previous(agent: Agent, machine: Machine) -> Revision:
    """An earlier revision whose deployment came as far as AfterInstall."""
    revision = agent.installed()
    ended = agent.hook("AfterInstall", revision)
    assert ended.status == 0, ended.output
    return revision


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_previous_revision_never_stops_a_deployment(
    agent: Agent, machine: Machine, previous: Revision, damage: str
) -> None:
    before = both(machine)
    machine.look("sh", "-c", f"cd {previous.archive} && {DAMAGES[damage]}")
    ended = agent.hook("ApplicationStop", previous._replace(deployment="d-NEXT"))
    assert ended.status == 0, ended.output
    assert both(machine) == before
    assert machine.get()[0] == 200
