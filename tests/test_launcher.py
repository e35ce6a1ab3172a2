"""run.py, with a small package in the place of the real one: where it looks for libraries, what it says on an old Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Optional

import pytest

LAUNCHER = Path(__file__).resolve().parent.parent / "run.py"
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
MACHINE = os.uname().machine
TELL = """
import sys
modules = sorted(sys.modules)
import json, os
def main(bundle):
    print(json.dumps({"bundle": bundle, "argv": sys.argv[1:], "path": sys.path,
                      "site": "site" in sys.modules, "PATH": os.environ["PATH"],
                      "modules": modules, "encoding": [sys.stdout.encoding, sys.stderr.encoding]}))
    return 42
"""
OLD = ("2.7", "3.6", "3.7", "3.8")
OLD_PYTHONS = [shutil.which(f"python{version}") for version in OLD] + [
    str(path) for version in OLD for path in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What lies around the launcher: a package called deploykit and nothing else."""
    shutil.copy(LAUNCHER, tmp_path / "run.py")
    (tmp_path / "deploykit").mkdir()
    (tmp_path / "deploykit" / "__init__.py").touch()
    (tmp_path / "deploykit" / "cli.py").write_text(TELL)
    return tmp_path


def start(
    folder: Path, python: str = sys.executable, env: Optional[Dict[str, str]] = None, isolated: bool = True
) -> subprocess.CompletedProcess[bytes]:
    words = [python, *(["-I", "-S"] if isolated else []), str(folder / "run.py"), "run", "AfterInstall"]
    environment = {"PATH": os.environ["PATH"]} if env is None else env
    return subprocess.run(words, cwd="/", env=environment, capture_output=True, timeout=60, check=False)


def told(ended: subprocess.CompletedProcess[bytes]) -> Dict[str, Any]:
    assert ended.returncode == 42, ended.stderr
    words: Dict[str, Any] = json.loads(ended.stdout)
    return words


def test_it_passes_arguments_and_the_exit_status_on(folder: Path) -> None:
    assert told(start(folder))["argv"] == ["run", "AfterInstall"]


def test_a_bundle_has_its_own_libraries_and_no_others(folder: Path) -> None:
    (folder / "vendor" / "lib").mkdir(parents=True)
    (folder / "vendor" / MACHINE).mkdir()
    (folder / ".venv" / "lib" / VERSION / "site-packages").mkdir(parents=True)
    words = told(start(folder))
    assert words["path"][-3:] == [str(folder), str(folder / "vendor" / "lib"), str(folder / "vendor" / MACHINE)]
    assert not [path for path in words["path"] if path.endswith(("site-packages", "dist-packages"))]
    assert not words["site"]


def test_a_checkout_has_the_libraries_of_the_venv_beside_it(folder: Path) -> None:
    libraries = folder / ".venv" / "lib" / VERSION / "site-packages"
    libraries.mkdir(parents=True)
    words = told(start(folder))
    assert words["path"][-2:] == [str(folder), str(libraries)]
    assert not words["site"]


def test_a_venv_of_another_python_is_left_alone(folder: Path) -> None:
    (folder / ".venv" / "lib" / "python3.1" / "site-packages").mkdir(parents=True)
    assert told(start(folder))["site"]


def test_else_the_libraries_are_those_of_the_interpreter_and_come_after_the_package(folder: Path) -> None:
    words = told(start(folder))
    libraries = [n for n, path in enumerate(words["path"]) if path.endswith(("site-packages", "dist-packages"))]
    assert libraries
    assert words["path"].index(str(folder)) < min(libraries)


def test_the_bundle_is_where_the_launcher_is_and_not_the_working_folder(folder: Path) -> None:
    assert told(start(folder))["bundle"] == str(folder)


def test_it_also_runs_without_isolation(folder: Path) -> None:
    assert told(start(folder, isolated=False))["argv"] == ["run", "AfterInstall"]


@pytest.mark.parametrize("environment", [{}, {"PATH": ""}], ids=["unset", "empty"])
def test_path_is_set_where_there_is_none(folder: Path, environment: Dict[str, str]) -> None:
    assert "/usr/sbin" in told(start(folder, env=environment))["PATH"]


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "nonsense"])
def test_output_is_utf8_whatever_the_locale_says(folder: Path, locale: str) -> None:
    (folder / "deploykit" / "cli.py").write_text("def main(bundle):\n    print('\\u00e9\\u2713')\n    return 42\n")
    ended = start(folder, env={"LC_ALL": locale, "PYTHONIOENCODING": "latin-1"}, isolated=False)
    assert ended.stdout == "\u00e9\u2713\n".encode()


def test_it_imports_next_to_nothing(folder: Path) -> None:
    (folder / "vendor" / "lib").mkdir(parents=True)
    names = set(told(start(folder))["modules"])
    assert not names & {"site", "subprocess", "shutil", "re", "argparse", "pathlib", "typing"}


def starts(python: Optional[str]) -> bool:
    """A shim may stand in PATH for a Python that is not there."""
    return python is not None and subprocess.run([python, "-c", "pass"], capture_output=True, check=False).returncode == 0


def test_every_really_old_python_here_says_so_in_one_line(folder: Path) -> None:
    pythons = [python for python in OLD_PYTHONS if python and starts(python)]
    if not pythons:
        pytest.skip("no Python older than 3.9 on this machine")
    for python in pythons:
        says_it_is_too_old(start(folder, python, {"PATH": "/nowhere"}, isolated=False))


def raise_the_floor(folder: Path) -> None:
    """Make the launcher think that this Python is old: the code is the same, only the number differs."""
    text = (folder / "run.py").read_text()
    assert "OLDEST = (3, 9)" in text
    (folder / "run.py").write_text(text.replace("OLDEST = (3, 9)", "OLDEST = (3, 19)"))


def says_it_is_too_old(ended: subprocess.CompletedProcess[bytes]) -> None:
    assert ended.returncode == 69
    assert ended.stderr.startswith(b"deploykit: needs Python 3.")
    assert ended.stderr.count(b"\n") == 1
    assert ended.stdout == b""


def test_a_python_that_is_too_old_says_so_in_one_line(folder: Path) -> None:
    raise_the_floor(folder)
    says_it_is_too_old(start(folder, env={"PATH": "/nowhere"}))


def test_a_newer_python_in_path_takes_over(folder: Path) -> None:
    raise_the_floor(folder)
    newer = folder / "python3.19"
    newer.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "took over: $*"\n')
    newer.chmod(0o755)
    ended = start(folder, env={"PATH": f"/nowhere:{folder}"})
    assert ended.stdout.decode() == f"took over: -I -S -X utf8 {folder}/run.py run AfterInstall\n"


def test_a_shim_for_a_python_that_is_not_there_does_not_take_over(folder: Path) -> None:
    raise_the_floor(folder)
    shim = folder / "python3.19"
    shim.write_text("#!/bin/sh\necho python3.19: command not found >&2\nexit 127\n")
    shim.chmod(0o755)
    says_it_is_too_old(start(folder, env={"PATH": str(folder)}))
