"""The benchmark runs from its command line and checks what its contenders do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
INSTALLED = os.path.exists("/usr/sbin/nginx") and any(Path("/usr/sbin").glob("php-fpm*")) and bool(shutil.which("envsubst"))

pytestmark = [pytest.mark.services, pytest.mark.skipif(not INSTALLED, reason="needs nginx, php-fpm and envsubst")]


def run_benchmark(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / program), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)


def test_script_and_bash_do_the_job_right(tmp_path: Path) -> None:
    told = run_benchmark(
        "run.py", "--sites", "1", "--contenders", "script,bash", "--repetitions", "1", "--output", str(tmp_path)
    )
    assert told.returncode == 0, told.stderr
    assert "| 1 | script |" in told.stdout
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert {(row["contender"], row["case"]): (row["runs"], row["void"]) for row in found["rows"]} == {
        (contender, case): (1, 0) for contender in ("script", "bash") for case in ("first", "same", "moved", "one")
    }
    assert all(0 < row["cpu"] < 60 and row["peak"] > 5 for row in found["rows"])
    assert {row["ratio"] for row in found["rows"] if row["contender"] == "script"} == {1.0}
    assert "1.00" in (tmp_path / "results.md").read_text(encoding="utf-8")


def test_a_contender_that_does_nothing_is_void(tmp_path: Path) -> None:
    # A cache in which "pyinfra" is a program that exits 0 without doing anything.
    fake = tmp_path / "pyinfra/bin/pyinfra"
    fake.parent.mkdir(parents=True)
    fake.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    fake.chmod(0o755)
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "run.py"), "--sites", "1", "--contenders", "pyinfra"]
    told = subprocess.run(
        [*command, "--repetitions", "1", "--output", str(tmp_path)],
        env={**os.environ, "DEPLOYKIT_BENCH_CACHE": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert told.returncode == 1, told.stderr
    assert "**void**" in told.stdout
    assert "files are not as wanted" in told.stdout
