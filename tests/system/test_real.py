"""The real machine is what the door promises, and looks as it is told to."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest
from support.services import real_machine

from deploykit import places
from deploykit.errors import Refused
from deploykit.model import Service
from deploykit.system.failing import FailingMachine
from deploykit.system.port import Machine, Readable, Scratch
from deploykit.system.real import RealMachine
from deploykit.system.signals import Watch

PROTOCOLS = (Readable, Scratch, Machine)
METHODS = sorted({(name, one) for one in PROTOCOLS for name in vars(one) if not name.startswith("_")}, key=lambda pair: pair[0])


def checked_by_mypy(machine: RealMachine) -> Machine:
    """That this type-checks is the static half of the proof."""
    return machine


@pytest.mark.parametrize(("name", "protocol"), METHODS, ids=[name for name, _ in METHODS])
def test_every_method_takes_what_the_protocol_says(name: str, protocol: type) -> None:
    wanted = inspect.signature(getattr(protocol, name)).parameters
    there = inspect.signature(getattr(RealMachine, name)).parameters
    assert [(p.name, p.kind, p.default) for p in there.values()] == [(p.name, p.kind, p.default) for p in wanted.values()]


@pytest.mark.parametrize(("name", "protocol"), METHODS, ids=[name for name, _ in METHODS])
def test_every_method_of_the_door_is_explained(name: str, protocol: type) -> None:
    assert inspect.getdoc(getattr(protocol, name))


def test_a_machine_that_fails_on_purpose_has_all_of_it_too(tmp_path: Path) -> None:
    machine = FailingMachine(real_machine(), "apply", str(tmp_path))
    assert all(callable(getattr(machine, name)) for name, _ in METHODS)


@pytest.fixture
def machine(tmp_path: Path) -> RealMachine:
    (tmp_path / "var/lib/deploykit").mkdir(parents=True)
    return RealMachine(str(tmp_path), ["run", "AfterInstall"], {}, str(tmp_path / "bundle"), Watch(60.0))


def test_without_being_allowed_more_it_writes_its_own_folder_alone(machine: RealMachine, tmp_path: Path) -> None:
    machine.append(places.journal(str(tmp_path)), b"x\n")
    with pytest.raises(Refused):
        machine.append(str(tmp_path / "elsewhere"), b"x\n")


def test_accounts_by_name_and_by_number(machine: RealMachine) -> None:
    assert (machine.uid("root"), machine.gid("root")) == (0, 0)
    assert (machine.uid("12345"), machine.gid("12345")) == (12345, 12345)
    assert (machine.uid("nobody-of-this-name"), machine.gid("nobody-of-this-name")) == (None, None)
    assert machine.own_ids() == (os.geteuid(), os.getegid())


def test_tools_are_found_where_an_agents_thin_path_does_not_lead(machine: RealMachine, tmp_path: Path) -> None:
    assert machine.tool("no-such-program", "sh") in ("/bin/sh", "/usr/bin/sh")
    assert machine.tool("no-such-program") == ""


def test_the_newest_change_is_that_of_any_file_folder_or_name(machine: RealMachine, tmp_path: Path) -> None:
    (tmp_path / "etc/conf.d").mkdir(parents=True)
    file = tmp_path / "etc/conf.d/a"
    file.touch()
    seen = machine.newest_change([str(tmp_path / "etc"), str(tmp_path / "absent")])
    for change in (lambda: file.chmod(0o600), lambda: file.rename(file.with_name("b")), lambda: file.with_name("b").unlink()):
        before = seen
        change()
        seen = machine.newest_change([str(tmp_path / "etc")])
        assert seen >= before
    assert abs(seen - machine.wall_clock()) < 60
    assert machine.newest_change([str(tmp_path / "absent")]) == machine.newest_change([]) == 0


def test_what_is_remembered_is_proved_until_it_changes(machine: RealMachine, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    service = Service("nginx", str(tmp_path / "etc"), "", str(tmp_path / "pid"), "", "", writable=(str(tmp_path / "etc"),))
    assert machine.proved() == ()
    machine.remember([service], None, ())
    assert machine.proved() == ("nginx",)
    (tmp_path / "pid").write_text(str(os.getpid()))
    assert machine.proved() == ()
    machine.refresh_proof()
    assert machine.proved() == ("nginx",)
    (tmp_path / "etc/x").touch()
    machine.refresh_proof()
    assert machine.proved() == ()
    assert [path.name for path in (tmp_path / "var/lib/deploykit").iterdir()] == ["stamp"]


def test_what_a_killed_run_left_beside_the_stamp_is_in_nobodys_way(machine: RealMachine, tmp_path: Path) -> None:
    Path(places.stamp(str(tmp_path)) + ".new").write_text("torn")
    machine.remember([], (), ())
    assert Path(places.stamp(str(tmp_path))).stat().st_mode & 0o777 == 0o600
