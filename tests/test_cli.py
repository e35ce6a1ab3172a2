"""From words to an exit status: the whole program as somebody starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import TOP, Site

from deploykit.errors import Interrupted


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def start(words: list[str], folder: str = "/", **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m deploykit`` in a folder."""
    path = os.pathsep.join([str(TOP), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "deploykit", *words],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": path, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_bundle_is_the_folder_one_is_in(site: Site) -> None:
    done = start(["render", "--env", "test", "--root", site.root], folder=site.bundle("one"))
    assert done.returncode == 0, done.stderr
    assert 'return 200 "one"' in done.stdout


def test_elsewhere_it_is_the_one_that_the_program_is_part_of(site: Site, tmp_path: Path) -> None:
    done = start(["render", "--env", "staging", "--root", site.root], folder=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "staging.webapp.example.com" in done.stdout


def test_paths_are_meant_from_where_one_is(site: Site) -> None:
    folder, name = os.path.split(site.bundle("one"))
    done = start(["render", "--env", "test", "--root", "root-of-its-own", "--bundle", name], folder=folder)
    assert f"# {os.path.realpath(folder)}/root-of-its-own/etc/nginx/nginx.conf" in done.stdout
    done = start(["run", "ApplicationStop", "--env", "test", "--root", "below", "--bundle", name], folder=folder)
    assert (done.returncode, Path(folder, "below/var/lib/deploykit/lock").exists()) == (0, True), done.stdout


def test_a_working_folder_that_is_gone_is_no_reason_to_fail(site: Site, tmp_path: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    argv = ["sh", "-c", script, "sh", sys.executable, "-m", "deploykit", "version"]
    path = os.pathsep.join([str(TOP), *(entry for entry in sys.path if entry)])
    done = subprocess.run(
        argv, cwd=tmp_path, env={"PATH": os.environ["PATH"], "PYTHONPATH": path}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variables", "environment"), [({"DEPLOYMENT_GROUP_NAME": "app-test"}, "test"), ({"DEPLOYMENT_GROUP_NAME": "app-prod"}, "")]
)
def test_the_agents_deployment_group_chooses_the_environment(site: Site, variables: dict[str, str], environment: str) -> None:
    done = start(
        ["run", "AfterInstall", "--dry-run", "--json", "--root", site.root, "--bundle", site.bundle("one")], **variables
    )
    if environment:
        assert json.loads(done.stdout)["environment"] == environment
    else:
        assert (done.returncode, json.loads(done.stdout)["status"]) == (65, 65)


def test_without_a_bundle_it_is_said_what_was_taken_for_one(site: Site, tmp_path: Path) -> None:
    done = start(["run", "AfterInstall", "--dry-run", "--bundle", str(tmp_path), "--root", site.root])
    assert done.returncode == 65
    assert f"{tmp_path} is taken for the bundle" in done.stdout


def test_messages_go_to_stderr_as_soon_as_a_document_owns_stdout(site: Site) -> None:
    words = ["run", "AfterInstall", "--dry-run", "--env", "nowhere", "--root", site.root, "--bundle", site.bundle("one")]
    people, programs = start(words), start([*words, "--json"])
    assert (people.stderr, people.returncode) == ("", 65)
    assert "nowhere" in people.stdout
    assert "nowhere" in programs.stderr
    assert json.loads(programs.stdout)["status"] == 65


def test_output_is_utf_8_whatever_the_locale_says(site: Site) -> None:
    words = ["render", "--env", "test", "--root", site.root, "--bundle", site.bundle("one"), "--var", "marker=caf\u00e9"]
    done = start(words, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "caf\\xe9" in done.stdout
    done = start(words, PYTHONIOENCODING="utf-8", LC_ALL="C")
    assert "caf\u00e9" in done.stdout


@pytest.mark.parametrize("words", ["render", "render --json"])
def test_a_reader_that_goes_away_changes_no_exit_status(site: Site, words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            site.argv(words, "one"), env=site.environment(), stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_is_130_and_one_document(site: Site) -> None:
    fifo = Path(site.folder, "fifo")
    os.mkfifo(fifo)
    site.edit("one", "deploykit.yml", "version: 1\n", f"version: 1\ninstance: {fifo}\n", marker="waits")
    argv = [*site.argv("render --json", "one", marker="waits"), "--root", ""]
    with subprocess.Popen(argv, env=site.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        keeps_it_waiting = os.open(fifo, os.O_WRONLY)  # opens as soon as the program reads there
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        os.close(keeps_it_waiting)
    assert process.returncode == Interrupted.status
    assert json.loads(out) == {"error": "interrupted", "status": 130, "at": None, "hint": ""}
    assert b"Traceback" not in err


@pytest.mark.services
@needs_services()
def test_a_run_that_finds_nothing_changed_imports_next_to_nothing() -> None:
    with Site() as site:
        site.deploy("one")
        argv = site.argv("run AfterInstall", "one")
        words = [sys.executable, "-X", "importtime", "-c", "from deploykit.cli import main; raise SystemExit(main())"]
        done = subprocess.run([*words, *argv[3:]], env=site.environment(), capture_output=True, text=True, check=False)
    assert done.stdout == "AfterInstall: nothing changed since it was proved, nothing to reload\n"
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "deploykit.system.stamp" in imported
    assert not imported & {"argparse", "json", "typing", "re", "yaml", "jinja2", "deploykit.arguments", "deploykit.model"}
