"""The launcher and the manifest: what is not as it was bundled is named in one line, and nothing of the bundle is run."""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict

import pytest
from support.bundles import hook, list_files

from deploykit.bundle import verify

MACHINE = os.uname().machine
SENTINEL = 'open("/proc/self/fd/2", "w").write("RAN\\n")\n'


def told(ended: subprocess.CompletedProcess[str]) -> Dict[str, Any]:
    assert ended.returncode == 42, ended.stderr
    words: Dict[str, Any] = json.loads(ended.stdout)
    return words


def refused(archive: Path, name: str, *, event: str = "after_install") -> str:
    """The line that refuses it; nothing was run."""
    ended = hook(archive, event)
    assert (ended.returncode, ended.stdout) == (65, ""), ended
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"deploykit: refused: {name} "), ended.stderr
    return ended.stderr


def test_a_bundle_as_it_was_built_runs_again_and_again(small: Path) -> None:
    first = told(hook(small, "before_install"))
    assert first["argv"] == ["run", "BeforeInstall"]
    assert first["library"] == str(small / "vendor/lib/library.py")
    assert list((small / "deploykit/__pycache__").glob("*.pyc")), "Python may keep its own bytecode after the check"
    assert told(hook(small, "after_install"))["argv"] == ["run", "AfterInstall"]
    assert told(hook(small, "after_install"))["argv"] == ["run", "AfterInstall"]


def test_sha256sum_reads_the_manifest(small: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "MANIFEST.sha256"], cwd=small, check=True)


@pytest.mark.parametrize(
    "name",
    [
        "run.py",
        "deploykit/cli.py",
        "deploykit/bundle/verify.py",
        "vendor/lib/library.py",
        f"vendor/{MACHINE}/native.py",
        "hooks/after_install",
        "app/public/index.php",
    ],
)
def test_a_flipped_bit_is_named(small: Path, name: str) -> None:
    content = bytearray((small / name).read_bytes())
    place = content.rindex(b"#") + 1 if b"#" in content else len(content) - 3
    content[place] ^= 1
    (small / name).write_bytes(bytes(content))
    assert "changed since the bundle was built" in refused(small, name)


def test_a_flipped_bit_of_the_manifest_is_noticed(small: Path) -> None:
    content = bytearray((small / "MANIFEST.sha256").read_bytes())
    for place in range(0, len(content), 37):
        content[place] ^= 1
        (small / "MANIFEST.sha256").write_bytes(bytes(content))
        ended = hook(small, "after_install")
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (65, "", 1), place
        content[place] ^= 1


@pytest.mark.parametrize(
    "name", ["deploykit/cli.py", "deploykit/bundle/verify.py", "vendor/lib/library.py", "app/public/index.php"]
)
def test_a_missing_file_is_named(small: Path, name: str) -> None:
    (small / name).unlink()
    ended = hook(small, "after_install")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (65, "", 1)
    assert name in ended.stderr


def test_a_whole_missing_folder_is_named(small: Path) -> None:
    shutil.rmtree(small / "vendor")
    assert "vendor/lib/library.py is missing" in hook(small, "after_install").stderr


@pytest.mark.parametrize(
    "name",
    [
        "deploykit/more.py",
        "vendor/lib/json.py",
        f"vendor/{MACHINE}/library.so",
        "hooks/more",
        "config_templates/nginx/more.conf",
        "more.py",
        "library/__init__.py",
        "deploykit/cli.pyc",
        "app/odd.pyc",
        "app/__pycache__/x",
    ],
)
def test_an_extra_file_is_named(small: Path, name: str) -> None:
    (small / name).parent.mkdir(parents=True, exist_ok=True)
    (small / name).write_text(SENTINEL)
    assert "RAN" not in refused(small, name)


def test_the_application_may_make_files_in_its_own_folder(small: Path) -> None:
    (small / "app/cache").mkdir()
    (small / "app/cache/page.html").write_text("cached")
    told(hook(small, "after_install"))


@pytest.mark.parametrize("name", ["app/link", "deploykit/link.py", "link"])
def test_a_symbolic_link_is_named(small: Path, name: str) -> None:
    (small / name).symlink_to("/etc/hostname")
    refused(small, name)


def test_a_file_that_became_a_link_to_the_same_content_is_named(small: Path, tmp_path: Path) -> None:
    shutil.move(str(small / "deploykit/cli.py"), str(tmp_path / "cli.py"))
    (small / "deploykit/cli.py").symlink_to(tmp_path / "cli.py")
    refused(small, "deploykit/cli.py")


def plant(archive: Path, tmp_path: Path) -> str:
    """Bytecode that claims to be of cli.py and that Python would not compare with it; where it lies."""
    source = tmp_path / "planted.py"
    source.write_text(SENTINEL + (archive / "deploykit/cli.py").read_text())
    target = importlib.util.cache_from_source(str(archive / "deploykit/cli.py"))
    py_compile.compile(str(source), cfile=target, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return os.path.relpath(target, archive)


def test_planted_bytecode_is_refused_and_does_not_run(small: Path, tmp_path: Path) -> None:
    name = plant(small, tmp_path)
    assert "RAN" not in refused(small, name)
    without_the_check = small / "MANIFEST.sha256"
    without_the_check.unlink()
    assert "RAN" in hook(small, "after_install").stderr, "it would have run"


def test_a_marker_that_came_with_the_archive_vouches_for_nothing(small: Path, tmp_path: Path) -> None:
    told(hook(small, "after_install"))
    copy = tmp_path / "copy"
    shutil.copytree(small, copy)
    assert "__pycache__" in refused(copy, "deploykit/__pycache__/__init__." + sys.implementation.cache_tag + ".pyc")


def test_a_marker_that_others_can_write_vouches_for_nothing(small: Path) -> None:
    told(hook(small, "after_install"))
    (small / "MANIFEST.checked").chmod(0o666)
    assert "__pycache__" in hook(small, "after_install").stderr


@pytest.mark.parametrize("name", ["deploykit/cli.py", "vendor/lib/library.py", "run.py", "deploykit/new.py"])
def test_a_later_hook_notices_a_changed_program(small: Path, name: str) -> None:
    told(hook(small, "before_install"))
    for cache in list(small.rglob("__pycache__")):
        shutil.rmtree(cache)
    before = (small / name).stat() if (small / name).exists() else None
    with (small / name).open("a") as file:
        file.write("\n# by hand\n")
    if before:
        os.utime(small / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    refused(small, name)


def test_a_new_bundle_over_an_old_one_is_refused_and_does_not_run_old_bytecode(small: Path) -> None:
    """Same size, same date: Python itself would go on with the bytecode of the old file."""
    os.utime(small / "vendor/lib/library.py", (315532800, 315532800))
    told(hook(small, "after_install"))
    (small / "vendor/lib/library.py").write_text("NUMBER = 2\n")
    os.utime(small / "vendor/lib/library.py", (315532800, 315532800))
    list_files_without_caches(small)
    assert "empty folder" in refused(small, "deploykit/__pycache__/__init__." + sys.implementation.cache_tag + ".pyc")


def list_files_without_caches(folder: Path) -> None:
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside, ignore=shutil.ignore_patterns("__pycache__", "MANIFEST.checked"))
    list_files(aside)
    shutil.copy(aside / "MANIFEST.sha256", folder / "MANIFEST.sha256")


def test_where_no_marker_can_be_left_no_bytecode_is_either(small: Path) -> None:
    (small / "MANIFEST.checked").mkdir()
    for _ in range(2):
        told(hook(small, "after_install"))
    assert not list(small.rglob("__pycache__"))


@pytest.mark.parametrize("event", ["application_stop", "before_block_traffic", "after_block_traffic"])
def test_events_of_the_former_revision_never_fail_a_deployment(small: Path, event: str) -> None:
    (small / "deploykit/cli.py").write_text("# something else\n")
    ended = hook(small, event)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "refused: deploykit/cli.py" in ended.stderr
    assert ended.stderr.endswith("never fails a deployment\n")
    assert refused(small, "deploykit/cli.py", event="before_install")


def test_a_machine_that_it_was_not_built_for_is_one_clear_line(small: Path) -> None:
    other = "aarch64" if MACHINE == "x86_64" else "x86_64"
    (small / "vendor" / MACHINE).rename(small / "vendor" / other)
    list_files(small)
    ended = hook(small, "after_install")
    assert (ended.returncode, ended.stdout) == (69, "")
    assert ended.stderr == f"deploykit: this bundle is for {other}, and this machine is {MACHINE}\n"


def test_libraries_of_the_machine_are_never_used(small: Path, tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(SENTINEL)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, str(small / "run.py"), "status"], env=environment, capture_output=True, text=True, check=False
    )
    words = told(ended)
    assert words["isolated"] == 1
    assert words["argv"] == ["status"]
    assert "RAN" not in ended.stderr
    assert sysconfig.get_path("purelib") not in words["path"]


def test_names_that_would_break_the_line_do_not(small: Path) -> None:
    (small / "deploykit/a\nb\x1b.py").write_text("")
    assert "deploykit/a?b?.py" in hook(small, "after_install").stderr


@pytest.mark.parametrize("text", ["", "nonsense\n", "00  x\n", f"{'0' * 64}  x", f"{'0' * 64} *x\n"])
def test_what_is_no_manifest_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "MANIFEST.sha256").write_text(text)
    assert verify.difference(str(tmp_path)).startswith("MANIFEST.sha256: ")
