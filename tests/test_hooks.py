"""The hooks, started as the CodeDeploy agent and people start them, with a launcher beside them that says what it got."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Optional, Sequence

import pytest

from deploykit.model import EVENTS

REPOSITORY = Path(__file__).resolve().parent.parent
HOOKS = sorted(path for path in (REPOSITORY / "hooks").iterdir() if not path.name.startswith("_"))
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
NO_TOOLS = "/nowhere"
LAUNCHER = """
import json, os, sys
told = {"argv": sys.argv[1:], "stdin": sys.stdin.read(), "python": sys.executable, "path": os.environ.get("PATH"),
        "flags": [sys.flags.isolated, sys.flags.no_site, sys.flags.utf8_mode]}
print(json.dumps(told))
sys.exit(42)
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A revision as it lies after unpacking by a tool that loses exec bits: a folder with a blank in its name, too."""
    folder = tmp_path / "a bundle"
    shutil.copytree(REPOSITORY / "hooks", folder / "hooks")
    for hook in (folder / "hooks").iterdir():
        hook.chmod(0o644)
    (folder / "run.py").write_text(LAUNCHER)
    return folder


def start(
    words: Sequence[str], *, cwd: Optional[Path] = None, env: Optional[Dict[str, str]] = None
) -> subprocess.CompletedProcess[str]:
    environment = {"DEPLOYKIT_PYTHON": sys.executable} if env is None else env
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, input="typed", check=False
    )


def told(ended: subprocess.CompletedProcess[str]) -> Dict[str, object]:
    assert ended.returncode == 42, ended.stderr
    words: Dict[str, object] = json.loads(ended.stdout)
    return words


def test_there_is_one_hook_for_every_event() -> None:
    assert len(HOOKS) == len(EVENTS)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_names_its_own_event_and_passes_arguments_on(bundle: Path, hook: Path) -> None:
    copy = bundle / "hooks" / hook.name
    copy.chmod(0o755)
    event = "".join(word.capitalize() for word in hook.name.split("_"))

    words = told(start([str(copy), "--env", "the staging"], cwd=Path("/")))

    assert event in EVENTS
    assert words["argv"] == ["run", event, "--env", "the staging"]
    assert words["stdin"] == ""
    assert words["flags"] == [1, 1, 1]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_in_the_repository_is_executable_and_starts_with_a_shebang(hook: Path) -> None:
    assert os.access(hook, os.X_OK)
    assert hook.read_bytes().startswith(b"#!/bin/sh\n")
    assert b"\r" not in hook.read_bytes()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_that_may_be_sh_runs_it(bundle: Path, shell: str) -> None:
    words = [shell, "sh"] if shell == "busybox" else [shell]
    ended = start([shutil.which(words[0]) or "", *words[1:], str(bundle / "hooks" / "after_install")])
    assert told(ended)["argv"] == ["run", "AfterInstall"]


@pytest.mark.parametrize("name", ["after_install", "./after_install", "../hooks/after_install"])
def test_a_relative_name_works_and_cdpath_does_not_matter(bundle: Path, name: str) -> None:
    environment = {"DEPLOYKIT_PYTHON": sys.executable, "CDPATH": "/:/tmp"}
    ended = start(["/bin/sh", name], cwd=bundle / "hooks", env=environment)
    assert told(ended)["argv"] == ["run", "AfterInstall"]


def test_a_deleted_working_folder_does_not_matter(bundle: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && exec /bin/sh "$2"'
    ended = start(["/bin/sh", "-c", script, "sh", str(gone), str(bundle / "hooks" / "before_install")])
    assert told(ended)["argv"] == ["run", "BeforeInstall"]


@pytest.mark.parametrize("environment", [{}, {"PATH": ""}], ids=["unset", "empty"])
def test_path_is_set_where_the_agent_gives_none(bundle: Path, environment: Dict[str, str]) -> None:
    ended = start(["/bin/sh", str(bundle / "hooks" / "after_install")], env={**environment, "DEPLOYKIT_PYTHON": sys.executable})
    assert "/usr/sbin" in str(told(ended)["path"])


def test_the_python_of_a_checkout_comes_before_the_machine_s(bundle: Path) -> None:
    python = bundle / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    ended = start(["/bin/sh", str(bundle / "hooks" / "after_install")], env={"PATH": NO_TOOLS})
    assert str(told(ended)["python"]).endswith("/.venv/bin/python")


def without_the_machine_s_python(bundle: Path) -> None:
    shared = bundle / "hooks" / "_run.sh"
    text = shared.read_text()
    assert "/usr/bin/python3 " in text
    shared.write_text(text.replace("/usr/bin/python3 ", "/nowhere/python3 "))


@pytest.mark.parametrize("name", ["python3", "python3.13", "python3.9"])
def test_a_python_of_path_is_found(bundle: Path, tmp_path: Path, name: str) -> None:
    without_the_machine_s_python(bundle)
    (tmp_path / name).symlink_to(sys.executable)
    ended = start(["/bin/sh", str(bundle / "hooks" / "after_install")], env={"PATH": str(tmp_path)})
    assert told(ended)["python"] == str(tmp_path / name)


def test_a_python_that_was_named_and_is_not_there_is_one_clear_line(bundle: Path) -> None:
    ended = start(["/bin/sh", str(bundle / "hooks" / "after_install")], env={"DEPLOYKIT_PYTHON": "/nowhere/python"})
    assert ended.returncode == 69
    assert ended.stderr == "deploykit: DEPLOYKIT_PYTHON is /nowhere/python, and that cannot be run\n"


def test_no_python_at_all_is_one_clear_line(bundle: Path) -> None:
    without_the_machine_s_python(bundle)
    ended = start(["/bin/sh", str(bundle / "hooks" / "after_install")], env={"PATH": NO_TOOLS})
    assert ended.returncode == 69
    assert ended.stderr.startswith("deploykit: no python3 found; install Python 3.9")
    assert ended.stderr.count("\n") == 1


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    names = [str(path.relative_to(REPOSITORY)) for path in [*HOOKS, REPOSITORY / "hooks" / "_run.sh"]]
    ended = subprocess.run(
        ["shellcheck", "-s", "sh", *names], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout == ""
    assert ended.returncode == 0
