"""The record: which live files are ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.model import Target
from deploykit.record import Owned, Record, digest, dump, parse

paths = st.text(min_size=1).map(lambda text: "/etc/nginx/" + text)


def target(path: str, content: bytes = b"x", service: str = "nginx", template: str = "t.j2") -> Target:
    return Target(path, service, template, content, 0o644, "", "")


@given(st.dictionaries(paths, st.binary(), max_size=5), st.text(), st.integers(0, 4096))
def test_what_is_written_is_read_again(files: dict[str, bytes], environment: str, size: int) -> None:
    record = parse(dump(environment, tuple(target(path, content) for path, content in files.items()), size))
    assert record == Record(
        environment, size, {path: Owned("nginx", "t.j2", digest(content)) for path, content in files.items()}
    )


def test_the_same_files_give_the_same_bytes_in_any_order() -> None:
    one, two = target("/etc/a"), target("/etc/b")
    assert dump("x", (one, two), 8) == dump("x", (two, one), 8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b"7",
        b'{"files": 3}',
        b'{"files": {"/a": 1}}',
        b'{"files": {"/a": {}}}',
        b"\xff\xfe",
        b'{"files": {}, "worker_mb": "many"}',
        b'{"files": {"/a": {"sha256": "1"}',
    ],
)
def test_one_that_cannot_be_read_counts_as_none(content: bytes) -> None:
    assert parse(content) == Record()


def test_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    body = {"record": 9, "colour": "blue", "files": {"/a": {"sha256": "1", "weight": 3}}}
    assert parse(json.dumps(body).encode()).files == {"/a": Owned("", "", "1")}
