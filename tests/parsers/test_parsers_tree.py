from __future__ import annotations

import glob
from pathlib import Path

import pytest

from deploykit.parsers.tree import Tree

NAMES = ["a.conf", "b.conf", "B.conf", ".hidden.conf", "a.conf~", "sub/c.conf", "sub/deep/d.conf", "other/c.conf", "x[1].conf"]
PATTERNS = ["*.conf", "*", "[ab].conf", "[!a].conf", "?.conf", "*/c.conf", "s*/*/d.conf", ".*", "a.conf", "nosuch.conf", "sub"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_glob_finds_what_the_file_system_finds(pattern: str, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    tree = Tree({f"{tmp_path}/{name}": b"" for name in NAMES})
    wanted = sorted(path for path in glob.glob(f"{tmp_path}/{pattern}") if Path(path).is_file())
    assert list(tree.glob(f"{tmp_path}/{pattern}")) == wanted


def test_a_caret_negates_as_in_c() -> None:
    assert Tree({"/e/a": b"", "/e/b": b""}).glob("/e/[^a]") == ["/e/b"]


def test_a_glob_in_a_folder_that_is_not_there_says_so() -> None:
    tree = Tree({"/etc/x": b""}, folders=["/etc/empty/"])
    assert tree.glob("/etc/empty/*.conf") == []
    assert tree.glob("/nosuch/x.conf") == []
    with pytest.raises(FileNotFoundError):
        tree.glob("/etc/nosuch/*.conf")


def test_read_says_what_a_file_system_would() -> None:
    tree = Tree({"/etc/a/b": b"text"})
    assert tree.read("/etc/a/b") == b"text"
    with pytest.raises(FileNotFoundError, match="No such file"):
        tree.read("/etc/a/c")
    with pytest.raises(IsADirectoryError):
        tree.read("/etc/a")
