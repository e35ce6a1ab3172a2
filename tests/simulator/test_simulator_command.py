"""What can be typed, what is refused, and what is printed; and how a hook in a sandbox finds its machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

from deploykit.cli import main

TOP = Path(__file__).resolve().parent.parent.parent
APPSPEC = "version: 0.0\nos: linux\n"


def revision(folder: Path, script: str = "", event: str = "AfterInstall") -> str:
    """A revision with one hook."""
    folder.mkdir()
    (folder / "appspec.yml").write_text(f"{APPSPEC}hooks:\n  {event}: [{{location: hook, timeout: 30}}]\n")
    (folder / "hook").write_text(f"#!/bin/sh\n{script}\n")
    return str(folder)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--revision", "/nowhere"], "neither a folder nor a zip file"),
        (["--events", "After Install"], "did you mean AfterInstall?"),
        (["--events", "AfterInstall,Install"], "AfterInstall cannot come before Install"),
        (["--events", "ValidateService,DownloadBundle"], "ValidateService cannot come before DownloadBundle"),
        (["--events", ","], "names no event"),
        (["--deployment-id", "d-1", "--revision", ".", "--revision", "."], "names one deployment"),
        (["--deployment-id", "../d-1"], "no slash"),
        (["--fail-at", "htp"], "neither an event nor a step"),
        (["--max-revisions", "0"], "the agent ends itself"),
        (["--agent", "v3"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: List[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = revision(tmp_path / "one")
    assert main(["simulate", "--root", str(tmp_path / "root"), "--bundle", bundle, *words]) == 64
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert not (tmp_path / "root").exists()


def test_the_bundle_is_the_revision_unless_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = revision(tmp_path / "one", "echo fine")
    assert main(["simulate", "--root", str(tmp_path / "root"), "--bundle", bundle]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"d-000000001: {bundle} (agent v1, group simulated-staging)"
    assert [line.split()[:2] for line in said[1:3]] == [["ok", "ApplicationStop"], ["ok", "DownloadBundle"]]
    assert "succeeded after" in said[-1]


def test_a_sandbox_within_the_bundle_is_not_part_of_it(tmp_path: Path) -> None:
    bundle = revision(tmp_path / "one")
    for _ in range(2):
        assert main(["simulate", "--root", f"{bundle}/sandbox", "--bundle", bundle]) == 0
    assert not list(Path(bundle).rglob("deployment-archive/sandbox"))


def test_a_failure_is_shown_as_the_console_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = revision(tmp_path / "one", "echo 'the cause'\nexit 3")
    assert main(["simulate", "--root", str(tmp_path / "root"), "--bundle", bundle]) == 1
    said = capsys.readouterr().out
    shown = said[said.index("--- AfterInstall as the console shows it") : said.index("--- end of what")].splitlines()[1:]
    assert shown == [
        "Error code   ScriptFailed",
        "Script name  hook",
        "Message      Script at specified location: hook failed with exit code 3",
        "Log",
        "  LifecycleEvent - AfterInstall",
        "  Script - hook",
        "  [stdout]the cause",
    ]
    assert "  -       ApplicationStart              not reached" in said


def test_json_is_one_document_and_the_rest_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = revision(tmp_path / "one", "exit 1")
    assert main(["simulate", "--root", str(tmp_path / "root"), "--bundle", bundle, "--json", "--revision", bundle]) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["status"] == "Failed"
    assert document["deployments"][0]["console"]["event"] == "AfterInstall"
    assert "FAILED" in said.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may deploy to the machine itself")
def test_a_plain_user_needs_a_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--bundle", revision(tmp_path / "one")]) == 64
    assert "--root ./sandbox" in capsys.readouterr().out


def test_an_interruption_takes_the_hook_along(tmp_path: Path) -> None:
    bundle = revision(tmp_path / "one", f"echo $$ >{tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; sleep 30; :")
    words = [sys.executable, "-m", "deploykit", "simulate", "--root", str(tmp_path / "root"), "--bundle", bundle]
    with subprocess.Popen(words, cwd=TOP, stdout=subprocess.DEVNULL) as child:
        until = time.monotonic() + 20
        while not (tmp_path / "pid").exists() and time.monotonic() < until:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_root_from_the_environment_must_be_a_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEPLOYKIT_ROOT", str(tmp_path))
    assert main(["history"]) == 64
    assert "no sandbox" in capsys.readouterr().err
    assert main(["history", "--root", str(tmp_path)]) == 0


def test_a_hook_in_a_sandbox_is_told_its_root_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    words = ["--root", str(root), "--bundle", revision(tmp_path / "one")]
    assert main(["simulate", *words, "--env", "production", "--var", "text=a b", "--var", "yes=true"]) == 0
    assert (root / ".deploykit-sandbox").read_text().splitlines() == [
        *("--env", "production"),
        *("--var", "text=a b"),
        *("--var", "yes=true"),
    ]
    monkeypatch.setenv("DEPLOYKIT_ROOT", str(root))
    monkeypatch.setenv("DEPLOYMENT_GROUP_NAME", "simulated-staging")
    capsys.readouterr()
    templates = tmp_path / "two/config_templates/nginx"
    templates.mkdir(parents=True)
    (templates / "told.conf.j2").write_text(
        "{{ facts.prefix }} {{ environment }} {{ text }} {{ yes | ternary('on', 'off') }}\n"
    )
    (tmp_path / "two/deploykit.yml").write_text('version: 1\nenvironments:\n  production: {groups: ["x"]}\n')
    assert main(["render", "--bundle", str(tmp_path / "two")]) == 0
    assert f"{root} production a b on" in capsys.readouterr().out


def test_only_a_sandbox_can_be_made_to_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "ValidateService", "--bundle", str(TOP), "--fail-at", "http", "--dry-run"]) == 64
    assert "--fail-at is for sandboxes" in capsys.readouterr().out
    assert main(["run", "ValidateService", "--fail-at", "breakfast"]) == 64
    assert "one of apply, reload, http, fastcgi, run can" in capsys.readouterr().err
