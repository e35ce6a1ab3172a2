"""The end of a line that version 1 cannot read: as Ruby 3.1 takes white space off such a line, or fails to."""

from __future__ import annotations

import pytest

from deploykit.simulator.agents import V1, V2
from deploykit.simulator.tail import SIZE, Tail, breaks_reader, cut


@pytest.mark.parametrize(
    "line",
    [
        *(b"abc\xff\n", b"abc\xff", b"\xe9 \n", b"abc\xd0\n", b"ab\xff \t\n", b"\xff\n", b"ab\xffcd\xff\n"),
        *(b"ok \xd0\xb0\xd0\n", b"a\xe2\x82\n", b"a\xc0\x80\n", b"a\xed\xa0\x80\n", b"a\xf5\x80\x80\x80\n", b"a\xf0\x9f\x98\n"),
    ],
)
def test_lines_that_break_the_reader(line: bytes) -> None:
    assert breaks_reader(b"[stdout]" + line)


@pytest.mark.parametrize(
    "line", [b"a\n", b"\n", b"a\xffbc\n", b"\xd0a\n", b"a\x80\n", b"a\xd0\xb0\x80\n", b"\xd0\xb0 \n", b"a\xffx\x80\x80\n"]
)
def test_lines_that_do_not(line: bytes) -> None:
    assert not breaks_reader(b"[stdout]" + line)


def test_the_tail_of_version_1_counts_all_but_the_newest_line() -> None:
    tail = Tail(V1)
    for length in (700, 700, 600, 2000):
        tail.add("", "x" * (length - 1) + "\n")
    assert [len(line) for line in tail.text().splitlines()] == [699, 599, 1999]


def test_the_tail_of_version_2_is_never_longer_than_its_size() -> None:
    tail = Tail(V2)
    for number in range(200):
        tail.add("2026-11-24 18:10:02", f"{number} {'ä' * (number % 40)}\n")
        assert len(tail.text().encode()) <= SIZE
    assert tail.text().endswith(f"199 {'ä' * 39}\n")


def test_a_very_long_line_is_cut() -> None:
    assert len(cut("ä" * 100_000).encode()) == 64 << 10
