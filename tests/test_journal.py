"""The journal: what a run set out to do survives being written, cut off anywhere, and read by another version."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit import journal as journals
from deploykit.errors import UndoFailed
from deploykit.journal import Entry, Journal, first_line, mark_line, parse
from deploykit.model import Service

texts = st.text(max_size=12)  # hypothesis leaves lone surrogates out unless asked
names = st.text(st.characters(codec="utf-8"), max_size=12) | st.just("caf\udce9")  # a name that is not UTF-8
entries = st.builds(Entry, texts, names, texts, names, names, names, texts, names)
services = st.builds(
    Service,
    *[texts] * 6,
    folders=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    writable=st.lists(names, max_size=3).map(tuple),
)
whole = st.builds(
    Journal,
    run=texts,
    event=texts,
    deploykit=texts,
    started=st.floats(0, 2e9),
    deployment=texts,
    environment=texts,
    entries=st.lists(entries, max_size=3).map(tuple),
    bridges=st.lists(entries, max_size=1).map(tuple),
    folders=st.lists(names, max_size=2).map(tuple),
    roots=st.lists(names, max_size=2).map(tuple),
    services=st.lists(services, max_size=2).map(tuple),
    marks=st.lists(texts, max_size=4).map(tuple),
)
SMALL = Journal("r", "AfterInstall", "1", 1.0, entries=(Entry("create", "/a", "nginx", "/t", "", "", "0"),), roots=("/etc",))


def written(journal: Journal) -> bytes:
    return first_line(journal) + b"".join(mark_line(mark) for mark in journal.marks)


@given(whole)
def test_what_is_written_is_read_again(journal: Journal) -> None:
    assert parse(written(journal), "journal") == journal


@given(st.data())
def test_cut_off_anywhere_it_tells_the_truth_up_to_there(data: st.DataObject) -> None:
    marks = (journals.SWITCHING, journals.RELOADING + "php-fpm", journals.RELOADING + "nginx")
    content = written(Journal(**{**vars(SMALL), "marks": marks}))
    end = data.draw(st.integers(0, len(content)))
    found = parse(content[:end], "journal")
    if end < len(first_line(SMALL)):
        assert found is None  # nothing can have been done yet
    else:
        assert found is not None
        assert found.entries == SMALL.entries
        assert found.marks == marks[: content[:end].count(b"\n") - 1]


def test_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    body = json.loads(first_line(SMALL))
    body["colour"] = "blue"
    body["entries"][0]["weight"] = 3
    assert parse(json.dumps(body).encode() + b"\n" + b'{"note": 1}\n', "journal") == SMALL


@pytest.mark.parametrize("content", [b"nonsense\n", b"[]\n", b"{}\n", b'{"entries": [{}], "roots": []}\n', b"\xff\n", b"7\n"])
def test_one_that_makes_no_sense_is_for_somebody_to_look_at(content: bytes) -> None:
    with pytest.raises(UndoFailed, match=r"^/x/journal cannot be read") as failed:
        parse(content, "/x/journal")
    assert "/x/journal" in failed.value.hint


def test_marks_tell_how_far_it_came() -> None:
    def marked(*marks: str) -> Journal:
        return Journal("r", "e", "1", 1.0, marks=marks)

    assert not marked().switching
    assert marked(journals.SWITCHING).switching
    reloads = [journals.RELOADING + name for name in ("php-fpm", "nginx", "php-fpm")]
    assert marked(*reloads).reloaded == ("php-fpm", "nginx")
