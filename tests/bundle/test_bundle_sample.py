"""The sample application's zip: what is in it, the same bytes again, and that it runs wherever it is unpacked."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Iterator, List

import pytest
from support.bundles import TOP, Built, build_sample, copy_checkout, hook, pythons, unpack
from support.services import free_port, needs_services

from deploykit.model import Probe
from deploykit.system import http, processes

ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
BUDGET = 1_000_000  # bytes, zipped, of deploykit and vendor
PYTHONS = pythons()


def test_one_zip_has_everything_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.path) as archive:
        names = archive.namelist()
    assert names[0] == "MANIFEST.sha256"
    assert names[1:] == sorted(names[1:])
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "MANIFEST.sha256",
        "LICENSE",
        "app",
        "appspec.yml",
        "config_templates",
        "deploykit",
        "deploykit.yml",
        "hooks",
    } | {
        "run.py",
        "sbom.cdx.json",
        "vendor",
    }
    assert not [name for name in names if name.endswith((".pyc", ".c", ".pyi")) or "__pycache__" in name or "tests/" in name]
    assert [name for name in names if name.startswith("vendor/lib/jinja2-") and "LICENSE" in name]
    assert built.told["files"] == len(names)
    assert built.told["bytes"] == built.path.stat().st_size


@pytest.mark.parametrize("machine", sorted(ELF_MACHINES))
def test_machine_code_is_for_the_machine_of_its_folder(built: Built, machine: str) -> None:
    with zipfile.ZipFile(built.path) as archive:
        native = [name for name in archive.namelist() if name.endswith(".so")]
        (mine,) = [name for name in native if name.startswith(f"vendor/{machine}/psutil/")]
        header = archive.read(mine)[:20]
    assert len(native) == len(ELF_MACHINES)
    assert header[:6] == b"\x7fELF\x02\x01"
    assert struct.unpack("<H", header[18:20])[0] == ELF_MACHINES[machine]


def test_the_framework_keeps_its_size(built: Built) -> None:
    with zipfile.ZipFile(built.path) as archive:
        parts = [info for info in archive.infolist() if info.filename.startswith(("deploykit/", "vendor/"))]
    assert sum(info.compress_size for info in parts) < BUDGET


def test_it_reports_what_weighs_most(built: Built) -> None:
    rows = built.told["heaviest"]
    assert len(rows) == 10
    assert [row["bytes"] for row in rows] == sorted((row["bytes"] for row in rows), reverse=True)
    assert "vendor/lib/jinja2/" in [row["path"] for row in rows]


def test_the_same_input_makes_the_same_bytes_with_every_python(built: Built, tmp_path: Path) -> None:
    """Built twice by this Python, then by the oldest and the newest here, with a bundle's libraries and another umask."""
    source = copy_checkout(tmp_path / "checkout")
    folder = unpack(built.path, tmp_path / "unpacked")
    shutil.copytree(Path(str(find_spec("pathspec").origin)).parent, tmp_path / "more/pathspec")  # type: ignore[union-attr]
    libraries = [str(TOP), str(folder / "vendor/lib"), str(folder / "vendor" / os.uname().machine), str(tmp_path / "more")]
    program = f"import sys; sys.path += {libraries!r}; from deploykit.cli import main; sys.exit(main(sys.argv[1:]))"
    first = build_sample(tmp_path / "first.zip", source=source).path.read_bytes()
    assert build_sample(tmp_path / "second.zip", source=source).path.read_bytes() == first
    for python in {PYTHONS[0], PYTHONS[-1]}:
        target = tmp_path / "other.zip"
        words = ["bundle", "--source", str(source), "-o", str(target)]
        command = [python, "-I", "-B", "-c", program, *words]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, umask=0o077)
        assert ended.returncode == 0, ended.stderr
        assert target.read_bytes() == first, python


def test_an_unpacked_bundle_is_as_its_manifest_says(built: Built, tmp_path: Path) -> None:
    folder = unpack(built.path, tmp_path / "x")
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "MANIFEST.sha256"], cwd=folder, check=True)


@pytest.mark.parametrize(
    "name", ["deploykit/cli.py", "vendor/lib/jinja2/environment.py", "config_templates/nginx/nginx.conf.j2", "app/VERSION"]
)
def test_a_flipped_byte_is_refused_before_anything_runs(built: Built, tmp_path: Path, name: str) -> None:
    folder = unpack(built.path, tmp_path / "x")
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 0x20
    (folder / name).write_bytes(bytes(content))
    ended = hook(folder, "after_install", "--dry-run", "--root", str(tmp_path / "root"))
    assert (ended.returncode, ended.stdout) == (65, "")
    assert ended.stderr.startswith(f"deploykit: refused: {name} has been changed")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: Path(path).name)
def test_without_exec_bits_it_runs_by_sh(built: Built, tmp_path: Path, python: str) -> None:
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(tmp_path / "x")
    assert not os.access(tmp_path / "x/hooks/after_install", os.X_OK)
    ended = hook(tmp_path / "x", "after_install", "--help", by=("sh",), python=python)
    assert ended.returncode == 0, ended.stderr
    assert "--dry-run" in ended.stdout


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: Path(path).name)
def test_every_library_can_be_imported_and_comes_from_the_bundle(built: Built, tmp_path: Path, python: str) -> None:
    folder = unpack(built.path, tmp_path / "x")
    program = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import run; sys.path.pop(0); run.find_libraries(sys.argv[1])\n"
        "import crossplane, jinja2, markupsafe, psutil, sh, yaml\n"
        "assert psutil.Process().pid\n"
        "for one in (crossplane, jinja2, markupsafe, psutil, sh, yaml): print(one.__file__)"
    )
    command = [python, "-I", "-S", "-B", "-c", program, str(folder)]
    ended = subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == 6
    assert all(line.startswith(f"{folder}/vendor/") for line in ended.stdout.splitlines())


class Place:
    """An archive, and a private folder that stands for the machine it is deployed to."""

    def __init__(self, built: Built) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dk-bundle-"))
        self.folder.chmod(0o755)
        self.archive = unpack(built.path, self.folder / "archive")
        self.root = self.folder / "root"
        for name in ("etc", "run/php", "var/log/nginx", "var/lib/nginx", "var/www", "tmp"):
            (self.root / name).mkdir(parents=True)
        self.port = free_port()

    def words(self) -> List[str]:
        return ["--root", str(self.root), "--env", "staging", "--var", f"port={self.port}"]

    def run(self, python: str, name: str, *more: str) -> str:
        ended = hook(self.archive, name, *self.words(), *more, python=python)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def close(self) -> None:
        masters = [one for one in (processes.master(str(path)) for path in (self.root / "run").rglob("*.pid")) if one]
        for pid in [*(m.pid for m in masters), *(child.pid for m in masters for child in processes.children(m.pid))]:
            os.kill(pid, 9)
        shutil.rmtree(self.folder)


@pytest.fixture
def place(built: Built) -> Iterator[Place]:
    made = Place(built)
    yield made
    made.close()


@pytest.mark.services
@needs_services()
@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: Path(path).name)
def test_the_zip_deploys_the_application_with_every_python(place: Place, python: str) -> None:
    """No pip, no compiler, no HOME; the first hook finds no bytecode, the later ones their own."""
    told = place.run(python, "after_install", "--dry-run")
    assert "5 files to change" in told
    assert not list((place.root / "etc").iterdir())
    place.run(python, "before_install")
    shutil.copytree(place.archive / "app", place.root / "var/www/webapp")
    for name in ("after_install", "application_start", "validate_service"):
        place.run(python, name)
    answer = http.ask(Probe("http", url=f"http://127.0.0.1:{place.port}/health", timeout=5.0))
    assert (answer.status, b"ok webapp" in answer.body) == (200, True)
    assert "nothing" in place.run(python, "after_install").splitlines()[-1]
