"""The lock: pip's format, and whole."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from support.bundles import TOP

from deploykit.bundle import lock
from deploykit.bundle.wheels import named
from deploykit.errors import InvalidInput

TEXT = (TOP / lock.PATH).read_text("utf-8")


def test_the_lock_is_as_it_would_be_written() -> None:
    assert lock.dump(lock.parse(TEXT)) == TEXT


def test_every_requirement_of_the_program_is_locked() -> None:
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg", encoding="utf-8")
    locked = {one.name: one.version for one in lock.parse(TEXT)}
    for line in setup["options"]["install_requires"].split():
        name, _, least = re.split(r"(>=)", line.partition(",")[0])
        numbers = [int(n) for n in locked[name].split(".")]
        assert numbers >= [int(n) for n in least.split(".")], line
    assert set(locked) > lock.BUILD_ONLY


def test_machine_code_is_locked_for_every_target() -> None:
    counts = {one.name: len(one.hashes) for one in lock.parse(TEXT)}
    assert counts["psutil"] == len(lock.MACHINES)
    assert counts["pyyaml"] == counts["markupsafe"] == len(lock.targets()) == 10


@pytest.mark.parametrize("line", ["jinja2", "jinja2==3.1.6", "jinja2>=3 --hash=sha256:" + "0" * 64, "-e ."])
def test_a_line_that_pins_nothing_is_named(line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        lock.parse(f"# comment\n\n{line}\n", "my.lock")
    assert str(caught.value).startswith("my.lock:3: ")


def test_names_of_wheels() -> None:
    assert named("PyYAML-6.0.3-cp39-cp39-manylinux2014_x86_64.whl") == ("pyyaml", "6.0.3")
    assert named("types_psutil-7.2-py3-none-any.whl") == ("types-psutil", "7.2")
    assert named("requirements.txt") == ("", "")


def test_nothing_in_the_lock_tells_where_it_was_made() -> None:
    assert not re.search(r"://|index|find-links", Path(TOP / lock.PATH).read_text("utf-8"))
