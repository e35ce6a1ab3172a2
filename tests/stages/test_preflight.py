"""Before the agent installs anything: space, programs, and files in the way of appspec.yml's own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest
from support.tree import Tree, TreeIn

from deploykit.errors import Location, Refused, ToolMissing
from deploykit.model import Request, StepSpec
from deploykit.stages.preflight import AGENT_ROOTS, LEAST_BYTES, LEAST_INODES, preflight
from deploykit.system.real import RealMachine
from deploykit.system.signals import Watch

APPSPEC = """\
version: 0.0
os: linux
files:
  - source: app
    destination: /var/www/app
  - source: /one.txt
    destination: /srv
"""


class Roomy(RealMachine):
    """A machine with as much room as it is told."""

    def __init__(self, tree: Tree, free: int = 10**12, inodes: int = 10**9, tight: str = "/etc") -> None:
        super().__init__(tree.prefix, [], {}, "", Watch(60.0))
        self.free, self.inodes, self.tight = free, inodes, tree.prefix + tight

    def free_space(self, folder: str) -> tuple[int, int]:
        return (self.free, self.inodes) if folder == self.tight else (10**12, 10**9)


@pytest.fixture
def tree() -> Iterator[Tree]:
    with TreeIn("/tmp") as made:
        services = {name: replace(service, binary="/usr/sbin/" + name) for name, service in made.services.items()}
        made.settings = replace(made.settings, services=services)
        yield made


def looked(tree: Tree, appspec: str = "", machine: RealMachine | None = None) -> tuple[str, ...]:
    """The notes; the bundle is the tree's own folder, with app/index.php and one.txt in it."""
    if appspec:
        write(tree.folder, "bundle/appspec.yml", appspec)
        for name in ("bundle/app/index.php", "bundle/app/deep/x", "bundle/one.txt"):
            write(tree.folder, name)
    request = Request("BeforeInstall", tree.folder + "/bundle", tree.prefix)
    return preflight(tree.settings, request, machine or Roomy(tree))


def write(folder: str, name: str, text: str = "x") -> None:
    path = Path(folder, name.lstrip("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_machine_that_is_fit_gives_no_notes(tree: Tree) -> None:
    assert looked(tree) == ()
    assert looked(tree, APPSPEC + "file_exists_behavior: DISALLOW\n") == ()


@pytest.mark.parametrize("tight", ["/etc", "/var/lib", "/var/log"])
@pytest.mark.parametrize(("free", "inodes"), [(LEAST_BYTES - 1, 10**9), (10**12, LEAST_INODES - 1)])
def test_too_little_room_is_refused(tree: Tree, tight: str, free: int, inodes: int) -> None:
    with pytest.raises(Refused, match="too little to deploy safely") as refused:
        looked(tree, machine=Roomy(tree, free, inodes, tight))
    assert refused.value.message.startswith(tree.prefix + tight)
    assert looked(tree, machine=Roomy(tree, LEAST_BYTES, LEAST_INODES, tight)) == ()


def test_a_service_that_is_missing_is_refused_unless_a_step_may_install_it(tree: Tree) -> None:
    missing = replace(tree.settings.services["nginx"], binary="")
    tree.settings = replace(tree.settings, services={**tree.settings.services, "nginx": missing})
    with pytest.raises(ToolMissing, match="nginx not installed") as refused:
        looked(tree)
    assert refused.value.status == 69
    step = StepSpec("run", ["apt-get", "install", "nginx"], Location("deploykit.yml", 1))
    tree.settings = replace(tree.settings, events={"BeforeInstall": (step,)})
    assert looked(tree) == ("nginx is not installed yet; AfterInstall needs it",)


@pytest.mark.parametrize("name", ["var/www/app/index.php", "var/www/app/deep/x", "srv/one.txt"])
def test_a_file_in_the_way_is_refused_before_the_agent_deletes_anything(tree: Tree, name: str) -> None:
    write(tree.prefix, name)
    with pytest.raises(Refused, match="is in the way of files:") as refused:
        looked(tree, APPSPEC + "file_exists_behavior: DISALLOW\n")
    assert refused.value.message.startswith(f"{tree.prefix}/{name} is in the way")
    assert refused.value.at is not None
    assert str(refused.value.at).startswith("appspec.yml:")
    assert "OVERWRITE" in refused.value.hint


def test_several_are_counted(tree: Tree) -> None:
    write(tree.prefix, "var/www/app/index.php")
    write(tree.prefix, "srv/one.txt")
    with pytest.raises(Refused, match="and 1 more is in the way"):
        looked(tree, APPSPEC + "file_exists_behavior: DISALLOW\n")


def test_where_appspec_says_nothing_it_is_a_note_since_the_deployment_may_say_more(tree: Tree) -> None:
    write(tree.prefix, "srv/one.txt")
    (note,) = looked(tree, APPSPEC)
    assert "unless the deployment says OVERWRITE or RETAIN" in note


@pytest.mark.parametrize("behaviour", ["OVERWRITE", "RETAIN"])
def test_where_they_may_be_replaced_nothing_is_in_the_way(tree: Tree, behaviour: str) -> None:
    write(tree.prefix, "srv/one.txt")
    assert looked(tree, APPSPEC + f"file_exists_behavior: {behaviour}\n") == ()


def test_a_folder_or_an_unrelated_file_is_in_nobodys_way(tree: Tree) -> None:
    write(tree.prefix, "var/www/app/other.php")
    os.makedirs(f"{tree.prefix}/srv/one.txt")
    assert looked(tree, APPSPEC + "file_exists_behavior: DISALLOW\n") == ()


def test_what_the_agent_installed_before_it_deletes_itself(tree: Tree) -> None:
    write(tree.prefix, "var/www/app/index.php")
    write(tree.prefix, AGENT_ROOTS[0] + "/deployment-instructions/group-cleanup", f"{tree.prefix}/var/www/app/index.php\n")
    assert looked(tree, APPSPEC + "file_exists_behavior: DISALLOW\n") == ()
    write(tree.prefix, "srv/one.txt")
    with pytest.raises(Refused, match=r"one\.txt is in the way"):
        looked(tree, APPSPEC + "file_exists_behavior: DISALLOW\n")


def test_an_appspec_that_cannot_be_read_is_no_reason_to_fall_over(tree: Tree) -> None:
    assert looked(tree, "\x00: [") == ()
