"""Building bundles in tests, and starting what is in them as the CodeDeploy agent does."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

import pytest

from deploykit.bundle.archive import manifest
from deploykit.bundle.ignore import ignored
from deploykit.bundle.tree import walk

TOP = Path(__file__).resolve().parents[2]
PATH = "/usr/bin:/bin"
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
# Tells where it is found, and fails like a program that has a bug when it is imported twice from different places.
TELL = """
import sys
def main(bundle):
    import json, library
    print(json.dumps({"argv": sys.argv[1:], "path": sys.path, "isolated": sys.flags.isolated, "library": library.__file__}))
    return 42
"""


class Built(NamedTuple):
    """A zip, and what the program told about it."""

    path: Path
    told: Dict[str, Any]


def bundle(source: Path, target: Path, *words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """``deploykit bundle --json`` as a process of its own, with this test run's libraries."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP), *sys.path])}
    environment.pop("SOURCE_DATE_EPOCH", None)
    command = [python, "-m", "deploykit", "bundle", "--json", "--source", str(source), "-o", str(target), *words]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=300, check=False)


def build_sample(target: Path, *words: str, source: Path = TOP) -> Built:
    """The sample application of this repository. Skips the test where pip cannot fetch the libraries."""
    ended = bundle(source, target, *words)
    if "pip cannot fetch" in ended.stderr:
        pytest.skip(f"no network and no wheels in the cache: {ended.stderr.strip().splitlines()[0]}")
    assert ended.returncode == 0, ended.stderr
    return Built(target, json.loads(ended.stdout))


def copy_checkout(top: Path) -> Path:
    """What of this repository travels, in a folder of its own that nobody else is working in."""
    text = (TOP / ".deployignore").read_text("utf-8")
    for entry in walk(str(TOP), ignored(text), set(), lambda _: None).entries:
        path = top / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.source, path)
        path.chmod(entry.mode)
    return top


def unpack(built: Path, folder: Path) -> Path:
    """As the agent does it."""
    subprocess.run(["unzip", "-qo", str(built), "-d", str(folder)], check=True)
    return folder


def write_small(folder: Path) -> Path:
    """A bundle of a few files, with its manifest."""
    shutil.copytree(TOP / "hooks", folder / "hooks")
    (folder / "deploykit/bundle").mkdir(parents=True)
    shutil.copy(TOP / "run.py", folder / "run.py")
    shutil.copy(TOP / "deploykit/bundle/verify.py", folder / "deploykit/bundle/verify.py")
    for name in ("deploykit/__init__.py", "deploykit/bundle/__init__.py", f"vendor/{os.uname().machine}/native.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("# nothing\n")
    (folder / "vendor/lib").mkdir()
    (folder / "vendor/lib/library.py").write_text("NUMBER = 1\n")
    (folder / "deploykit/cli.py").write_text(TELL)
    (folder / "app/public").mkdir(parents=True)
    (folder / "app/public/index.php").write_text("<?php echo 1;\n")
    list_files(folder)
    return folder


def list_files(folder: Path) -> None:
    """Write the manifest of what is there now."""
    digests = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "MANIFEST" not in path.name
    }
    (folder / "MANIFEST.sha256").write_bytes(manifest(digests))


def pythons() -> List[str]:
    """A Python of each supported version that this machine has; the one that runs the tests stands for its version."""
    found = []
    for version in PYTHONS:
        if version == ".".join(str(number) for number in sys.version_info[:2]):
            found.append(sys.executable)
            continue
        candidates = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"), shutil.which(f"python{version}")]
        found += [str(path) for path in candidates if path and _starts(str(path))][:1]
    return found


def _starts(python: str) -> bool:
    return subprocess.run([python, "-I", "-S", "-c", "pass"], capture_output=True, check=False).returncode == 0


def hook(
    archive: Path, name: str, *words: str, python: str = sys.executable, by: Sequence[str] = (), env: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Start a hook with next to no environment. by: words before it, such as ``sh``."""
    environment = {"PATH": PATH, "DEPLOYKIT_PYTHON": python, **env}
    command = [*by, str(archive / "hooks" / name), *words]
    return subprocess.run(
        command, cwd="/", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
