"""Which commit a change is compared with, and how its files come out of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict

import pytest
from support.repository import SMALL, Repository

from deploykit.errors import ToolMissing, UsageError
from deploykit.system import revision

NOWHERE: Dict[str, str] = {}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "checkout")


def test_a_name_is_taken_for_the_branch_that_we_left(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "change")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    later = repository.commit()
    repository.git("checkout", "--quiet", "change")
    base = revision.base(str(repository.folder), "main", NOWHERE)
    assert base.commit == repository.first != later
    assert base.told == "merge base of main and HEAD"


def test_gitlab_says_which(repository: Repository) -> None:
    repository.commit()
    told = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": repository.first}
    assert revision.base(str(repository.folder), "", told).commit == repository.first
    target = repository.commit()
    merged = {**told, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": target}
    assert revision.base(str(repository.folder), "", merged) == revision.Base(target, "the target branch")


def test_by_default_it_is_the_branch_of_origin(repository: Repository, tmp_path: Path) -> None:
    clone = _clone(repository, tmp_path)
    clone.git("checkout", "--quiet", "-b", "change")
    clone.commit()
    assert revision.base(str(clone.folder), "", NOWHERE).commit == repository.first
    assert revision.base(str(clone.folder), "", {"CI_DEFAULT_BRANCH": "main"}).told == "merge base of origin/main and HEAD"


def test_on_that_branch_it_is_what_was_there_before(repository: Repository, tmp_path: Path) -> None:
    second = repository.commit()
    clone = _clone(repository, tmp_path)
    assert revision.base(str(clone.folder), "", NOWHERE) == revision.Base(repository.first, "the commit before HEAD")
    clone.write("deploykit.yml", "version: 1\n")
    assert revision.base(str(clone.folder), "", NOWHERE) == revision.Base(second, "HEAD")


@pytest.mark.parametrize("name", ["nowhere", "0" * 40, "--output=/tmp/x", "main:deploykit.yml", ""])
def test_a_commit_that_is_not_there_is_one_clear_error(name: str, repository: Repository) -> None:
    told = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "0" * 40}
    with pytest.raises(UsageError) as raised:
        revision.base(str(repository.folder), name, told)
    assert "in this clone" in raised.value.message
    assert 'GIT_DEPTH: "0"' in raised.value.hint


def test_a_shallow_clone_is_named_as_the_cause(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    clone = _clone(repository, tmp_path, "--depth=1")
    for asked in (repository.first, ""):
        with pytest.raises(UsageError) as raised:
            revision.base(str(clone.folder), asked, NOWHERE)
        assert raised.value.hint == 'the clone is shallow: set GIT_DEPTH: "0" for the job, or run git fetch --unshallow'


def test_a_first_commit_has_nothing_before_it(repository: Repository) -> None:
    with pytest.raises(UsageError, match="no commit before HEAD") as raised:
        revision.base(str(repository.folder), "", NOWHERE)
    assert "--between" in raised.value.hint


def test_a_folder_without_git(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in no working tree of git") as raised:
        revision.base(str(tmp_path), "main", NOWHERE)
    assert "--live" in raised.value.hint


def test_a_machine_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="git is not installed"):
        revision.base(str(tmp_path), "main", NOWHERE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.root
def test_a_folder_of_somebody_else(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for path in (repository.top, repository.top / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="belongs to another account") as raised:
        revision.base(str(repository.folder), "main", NOWHERE)
    assert "safe.directory" in raised.value.hint


@pytest.mark.parametrize("below", ["", "app/one"])
def test_files_come_out_as_they_were(below: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "checkout", below)
    repository.write("deploykit.yml", "version: 2\n")
    repository.write("config_templates/nginx/later.conf", "later\n")
    repository.commit()
    with revision.former(str(repository.folder), repository.first) as former:
        former.take(["deploykit.yml", "config_templates", "not-there"])
        assert _files(Path(former.folder)) == {name: text for name, text in SMALL.items() if "environments" not in name}
        former.take(["environments/production.yml"])
        former.take([])
        assert _files(Path(former.folder)) == SMALL
        assert os.stat(Path(former.folder).parents[len(below.split("/")) if below else 0]).st_mode & 0o077 == 0
    assert not os.path.exists(former.folder)


def test_the_checkout_stays_as_it_is(repository: Repository) -> None:
    repository.write("config_templates/nginx/staged.conf", "staged\n")
    repository.git("add", "--all")
    repository.edit("deploykit.yml", "version: 1", "version: 2")
    before = repository.git("status", "--porcelain"), (repository.top / ".git/index").read_bytes()
    with revision.former(str(repository.folder), repository.first) as former:
        former.take(["deploykit.yml", "config_templates"])
    assert (repository.git("status", "--porcelain"), (repository.top / ".git/index").read_bytes()) == before


def test_attributes_for_archives_leave_nothing_out(repository: Repository) -> None:
    repository.write(".gitattributes", "config_templates export-ignore\n*.conf.j2 export-subst\n*.txt eol=crlf\n")
    repository.write("config_templates/nginx/hash.conf.j2", "# $Format:%H$\n")
    repository.write("config_templates/nginx/lines.txt", "one\ntwo\n")
    commit = repository.commit()
    with revision.former(str(repository.folder), commit) as former:
        former.take(["config_templates", ".gitattributes"])
        found = Path(former.folder, "config_templates/nginx")
        assert (found / "hash.conf.j2").read_text() == "# $Format:%H$\n"
        assert (found / "lines.txt").read_bytes() == b"one\r\ntwo\r\n"


def test_variables_of_a_hook_of_git_count_for_nothing(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert revision.base(str(repository.folder), "", NOWHERE).commit == repository.first


def _files(folder: Path) -> Dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def _clone(repository: Repository, tmp_path: Path, *words: str) -> Repository:
    target = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", *words, f"file://{repository.top}", str(target)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    clone = object.__new__(Repository)
    clone.top = clone.folder = target
    clone.first = repository.first
    return clone
