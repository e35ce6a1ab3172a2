"""The sample application, deployed by the simulated agent on real services: twice, then broken, then made to fail."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from support.services import free_port, needs_services

from deploykit.cli import main
from deploykit.model import Probe
from deploykit.system import http, processes

pytestmark = [pytest.mark.services, needs_services()]
TOP = Path(__file__).resolve().parent.parent.parent
PARTS = ("appspec.yml", "deploykit.yml", "run.py", "hooks", "app", "config_templates", "deploykit")
VHOST = "config_templates/nginx/conf.d/webapp.conf.j2"


class Machine:
    """A sandbox, and revisions of the sample application."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = folder / "root"
        self.port = free_port()
        self._folder = folder
        self._capsys = capsys

    def revision(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        for part in PARTS:
            if (TOP / part).is_dir():
                shutil.copytree(TOP / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
            else:
                shutil.copy2(TOP / part, folder / part)
        settings = (folder / "deploykit.yml").read_text("utf-8")
        (folder / "deploykit.yml").write_text(settings.replace("within: 10s", "within: 2s"), "utf-8")
        return folder

    def simulate(self, *words: object) -> Dict[str, Any]:
        given = {"port": self.port}
        options = [word for name, value in given.items() for word in ("--var", f"{name}={value}")]
        self._capsys.readouterr()
        status = main(["simulate", "--root", str(self.root), *options, "--json", *(str(word) for word in words)])
        document: Dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return {"exit": status, **document}

    def answers(self) -> bool:
        answer = http.ask(Probe("http", url=f"http://127.0.0.1:{self.port}/health", timeout=5.0))
        return answer.status == 200 and b"ok webapp" in answer.body

    def masters(self) -> List[int]:
        found = [processes.master(str(path)) for path in (self.root / "run").rglob("*.pid")]
        return [one.pid for one in found if one]

    def close(self) -> None:
        """Kill both families, masters first: they would start new workers."""
        masters = self.masters()
        for pid in [*masters, *(child.pid for master in masters for child in processes.children(master))]:
            os.kill(pid, 9)


@pytest.fixture
def machine(capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="dk-sample-")))
    folder.chmod(0o755)
    played = Machine(folder, capsys)
    yield played
    played.close()
    shutil.rmtree(folder)


def change(revision: Path, name: str, old: str, new: str) -> None:
    text = (revision / name).read_text("utf-8")
    assert text.count(old) == 1
    (revision / name).write_text(text.replace(old, new), "utf-8")


def last(told: Dict[str, Any]) -> Dict[str, Any]:
    """The last deployment's events, by name."""
    return {event["event"]: event for event in told["deployments"][-1]["events"]}


def test_two_deployments_then_a_broken_one(machine: Machine) -> None:
    first, second = machine.revision("first"), machine.revision("second")
    change(second, VHOST, "expires 1h;", "expires 2h;")
    told = machine.simulate("--revision", first, "--revision", second, "--keep")
    assert told["exit"] == 0, told
    events = last(told)
    assert events["ApplicationStop"]["archive"] == "d-000000001"
    assert events["AfterInstall"]["archive"] == "d-000000002"
    assert len(events["Install"]["removed"]) == len(events["Install"]["installed"]) > 0
    assert machine.answers()
    assert "expires 2h;" in (machine.root / "etc/nginx/conf.d/webapp.conf").read_text()

    broken = machine.revision("broken")
    change(broken, VHOST, "{{ max_body | nginx_size }}", "{{ max_bdy | nginx_size }}")
    told = machine.simulate("--revision", broken, "--keep")
    console = told["deployments"][-1]["console"]
    assert (told["exit"], console["event"], console["name"]) == (1, "BeforeInstall", "ScriptFailed")
    assert "[stdout]--- BeforeInstall failed, exit status 65" in console["log"]
    assert f"cause: {VHOST}:" in console["log"]
    assert "max_bdy" in console["log"]
    assert len(console["log"]) < 4096
    assert machine.answers()


@pytest.mark.parametrize("place", ["apply", "reload"])
def test_a_step_is_made_to_fail_and_everything_is_undone(machine: Machine, place: str) -> None:
    first, second = machine.revision("first"), machine.revision("second")
    change(second, VHOST, "expires 1h;", "expires 2h;")
    assert machine.simulate("--revision", first, "--keep")["exit"] == 0
    told = machine.simulate("--revision", second, "--fail-at", place)
    console = told["deployments"][-1]["console"]
    assert (told["exit"], console["event"]) == (1, "AfterInstall")
    assert "[stdout]--- AfterInstall failed" in console["log"]
    assert "made to fail by --fail-at" in console["log"]
    assert "expires 1h;" in (machine.root / "etc/nginx/conf.d/webapp.conf").read_text()
    assert len(told["stopped"]) == 2
    assert machine.masters() == []


def test_a_failed_probe_is_undone_and_the_same_again_is_quick(machine: Machine) -> None:
    first, second = machine.revision("first"), machine.revision("second")
    change(second, VHOST, "expires 1h;", "expires 2h;")
    assert machine.simulate("--revision", first, "--revision", first, "--keep")["exit"] == 0
    assert "nothing changed since it was proved" in "".join(
        path.read_text() for path in machine.root.glob("opt/codedeploy-agent/deployment-root/*/d-000000002/logs/scripts.log")
    )
    before = (machine.root / "etc/nginx/conf.d/webapp.conf").read_bytes()
    told = machine.simulate("--revision", second, "--fail-at", "http", "--keep")
    console = told["deployments"][-1]["console"]
    assert (told["exit"], console["event"]) == (1, "AfterInstall")
    assert "made to fail by --fail-at http" in console["log"]
    assert "state: undone" in console["log"]
    assert (machine.root / "etc/nginx/conf.d/webapp.conf").read_bytes() == before
    assert machine.answers()
