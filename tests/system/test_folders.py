"""Skeletons and copies of folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List

import pytest

from deploykit.errors import Refused
from deploykit.system import folders


def test_below_is_about_whole_names() -> None:
    assert folders.below("/etc/nginx", "/etc/nginx")
    assert folders.below("/etc/nginx/x", "/etc/nginx")
    assert folders.below("/etc", "/")
    assert not folders.below("/etc/nginx2", "/etc/nginx")


def test_a_skeleton_has_the_folders_and_their_modes_only(tmp_path: Path) -> None:
    live, place = tmp_path / "live", tmp_path / "place"
    (live / "a/b").mkdir(parents=True)
    (live / "a/file").write_text("x")
    (live / "a/b").chmod(0o2770)
    (live / "closed/inside").mkdir(parents=True)
    (live / "link").symlink_to(live / "a")
    (live / "dangling").symlink_to(live / "nowhere")
    place.mkdir()
    folders.skeleton(str(live), str(place), {str(live / "closed")}, pytest.fail)
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == ["a", "a/b", "closed", "link"]
    assert (place / "a/b").stat().st_mode & 0o7777 == 0o2770
    assert not (place / "link").is_symlink()


def test_a_skeleton_of_a_folder_for_everybody_is_one_level_deep(tmp_path: Path) -> None:
    live, place = tmp_path / "live", tmp_path / "place"
    (live / "a/b").mkdir(parents=True)
    live.chmod(0o1777)
    place.mkdir()
    folders.skeleton(str(live), str(place), (), pytest.fail)
    assert [path.name for path in place.rglob("*")] == ["a"]


def test_a_skeleton_has_an_end(tmp_path: Path) -> None:
    live, place = tmp_path / "live", tmp_path / "place"
    for number in range(folders.MOST_FOLDERS + 1):
        (live / str(number)).mkdir(parents=True)
    place.mkdir()
    notes: List[str] = []
    folders.skeleton(str(live), str(place), (), notes.append)
    assert len(list(place.iterdir())) == folders.MOST_FOLDERS
    assert str(live) in notes[0]


def test_a_copy_keeps_links_and_modes(tmp_path: Path) -> None:
    live, place = tmp_path / "live", tmp_path / "place"
    (live / "a").mkdir(parents=True)
    (live / "a/file").write_text("x")
    (live / "a/file").chmod(0o640)
    (live / "a").chmod(0o750)
    (live / "link").symlink_to("a/file")
    os.mkfifo(live / "fifo")
    place.mkdir()
    folders.copy(str(live), str(place), pytest.fail)
    assert (place / "a/file").read_text() == "x"
    assert ((place / "a/file").stat().st_mode & 0o777, (place / "a").stat().st_mode & 0o777) == (0o640, 0o750)
    assert os.readlink(place / "link") == "a/file"
    assert not (place / "fifo").exists()


def test_a_link_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/nowhere")
    with pytest.raises(Refused, match="link is a symbolic link to /nowhere") as refused:
        folders.refuse_links(str(tmp_path / "link/x/y"))
    assert "/nowhere" in refused.value.hint
    folders.refuse_links("/")
