"""An event has one name in five places; whoever knows one of them has found the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from deploykit.model import EVENTS

REPOSITORY = Path(__file__).resolve().parent.parent
APPSPEC = (REPOSITORY / "appspec.yml").read_text(encoding="utf-8")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)


def snake(event: str) -> str:
    """AfterInstall -> after_install."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()


def anchor(heading: str) -> str:
    """The anchor that GitLab and GitHub give a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def hooks_of(text: str) -> Dict[str, List[Dict[str, Any]]]:
    hooks: Dict[str, List[Dict[str, Any]]] = yaml.safe_load(text)["hooks"]
    return hooks


def everything_switched_on() -> str:
    """appspec.yml with its commented events in force."""
    return re.sub(r"^(  )# (?=( {2})*(\w+:$|- location:|timeout:)|    timeout:)", r"\1", APPSPEC, flags=re.MULTILINE)


@pytest.mark.parametrize("event", EVENTS)
def test_the_appspec_starts_the_hook_of_that_name(event: str) -> None:
    (script,) = hooks_of(everything_switched_on())[event]
    assert script["location"] == f"hooks/{snake(event)}"
    assert set(script) == {"location", "timeout"}
    assert type(script["timeout"]) is int


def test_the_appspec_names_no_other_event() -> None:
    assert set(hooks_of(everything_switched_on())) == set(EVENTS)
    assert set(hooks_of(APPSPEC)) == {event for event in EVENTS if "Traffic" not in event}


def test_the_appspec_reads_alike_with_both_agents() -> None:
    appspec = yaml.safe_load(APPSPEC)
    assert re.search(r"^version: 0\.0$", APPSPEC, re.MULTILINE)
    assert appspec["os"] == "linux"
    assert set(appspec) == {"version", "os", "files", "hooks"}
    assert not re.search(r"[&*]\w|<<:", re.sub(r"#.*", "", APPSPEC)), "agent 1.x knows no anchors"
    for file in appspec["files"]:
        assert (REPOSITORY / file["source"]).is_dir()


@pytest.mark.parametrize("event", EVENTS)
def test_a_hook_has_that_name_and_passes_the_event_on(event: str) -> None:
    hook = REPOSITORY / "hooks" / snake(event)
    assert re.search(rf"^set -- {event} ", hook.read_text(encoding="utf-8"), re.MULTILINE)
    assert f"deploykit/lifecycle/{snake(event)}.py" in hook.read_text(encoding="utf-8")


@pytest.mark.parametrize("event", EVENTS)
def test_a_handler_has_that_name_and_a_test(event: str) -> None:
    assert (REPOSITORY / "deploykit" / "lifecycle" / f"{snake(event)}.py").is_file()
    assert (REPOSITORY / "tests" / "lifecycle" / f"test_{snake(event)}.py").is_file()


@pytest.mark.parametrize("event", EVENTS)
def test_the_documentation_has_a_chapter_of_that_name(event: str) -> None:
    text = (REPOSITORY / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    assert event.lower() in [anchor(heading) for heading in HEADING.findall(text)]


def test_there_are_no_hooks_and_no_handlers_for_anything_else() -> None:
    names = {snake(event) for event in EVENTS}
    assert {path.name for path in (REPOSITORY / "hooks").iterdir()} == names | {"_run.sh"}
    handlers = {path.stem for path in (REPOSITORY / "deploykit" / "lifecycle").glob("*.py")}
    assert handlers <= names | {path for path in handlers if path.startswith("_")} | {"flow", "handler"}
