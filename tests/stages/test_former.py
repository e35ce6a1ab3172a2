"""The way back: what was live before a run, whatever came after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tree import Seen, Tree, TreeIn, quiet

from deploykit import record as records
from deploykit import transaction
from deploykit.commands.history import runs
from deploykit.journal import Journal
from deploykit.model import Change, Plan, Request
from deploykit.stages.former import former

NAMES = ["a.conf", "b.conf", "caf\udce9"]
revisions = st.lists(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=2)), min_size=1, max_size=5)


@pytest.fixture
def tree() -> Iterator[Tree]:
    with TreeIn("/dev/shm") as made:
        yield made


def since(tree: Tree, run: str) -> List[Journal]:
    return [journal for journal in runs(tree.prefix, tree.machine()) if journal.run >= run]


def go_back(tree: Tree, run: str) -> Tuple[Change, ...]:
    """Make what was live before ``run`` live again, as ``deploykit undo RUN`` does."""
    machine = tree.machine()
    changes, record = former(since(tree, run), machine)
    request = Request("undo", tree.folder, tree.prefix)
    plan = Plan(request, tree.settings, changes, owner=machine.own_ids(), record=record)
    with transaction.begin(plan, machine, quiet()) as journal:
        transaction.put_live(plan, journal, machine)
    tree.record = records.parse(record)
    return changes


@pytest.mark.parametrize("kept", ["", "/tmp"])
def test_back_to_any_run_and_forward_again(kept: str) -> None:
    @settings(max_examples=10 if kept else 80, deadline=None)
    @given(revisions, st.data())
    def whatever(deployed: List[Dict[str, bytes]], data: st.DataObject) -> None:
        back_and_forward(kept, deployed, data)

    whatever()


def back_and_forward(kept: str, deployed: List[Dict[str, bytes]], data: st.DataObject) -> None:
    with TreeIn("/dev/shm", kept) as tree:
        seen: Dict[str, Dict[str, Seen]] = {}
        for revision in deployed:
            then = tree.seen()
            seen[tree.deploy(tree.target(name, content) for name, content in revision.items())] = then
        last = tree.seen()
        run = data.draw(st.sampled_from(sorted(seen)))
        go_back(tree, run)
        assert tree.seen() == seen[run]
        (newest,) = runs(tree.prefix, tree.machine())[:1]
        go_back(tree, newest.run)  # the way back is a run like others, and can be taken back
        assert tree.seen() == last


def test_edits_by_hand_are_overwritten_and_come_back_with_the_next_step(tree: Tree) -> None:
    tree.deploy([tree.target("x", b"one")])
    run = tree.deploy([tree.target("x", b"two")])
    Path(tree.etc, "x").unlink()
    Path(tree.etc, "x").write_bytes(b"edited")
    (change,) = go_back(tree, run)
    assert (change.action, change.before, change.after) == ("replace", b"edited", b"one")
    assert Path(tree.etc, "x").read_bytes() == b"one"


def test_what_was_kept_is_not_changed_by_an_edit_of_what_came_back(tree: Tree) -> None:
    tree.deploy([tree.target("x", b"one")])
    run = tree.deploy([tree.target("x", b"two")])
    go_back(tree, run)
    with open(f"{tree.etc}/x", "ab") as file:  # as an editor does that writes in place
        file.write(b" edited")
    go_back(tree, run)
    assert Path(tree.etc, "x").read_bytes() == b"one"


def test_a_file_that_somebody_removed_is_made_again(tree: Tree) -> None:
    tree.deploy([tree.target("x", b"one")])
    run = tree.deploy([tree.target("x", b"two")])
    Path(tree.etc, "x").unlink()
    (change,) = go_back(tree, run)
    assert change.action == "create"
    assert Path(tree.etc, "x").read_bytes() == b"one"


def test_a_symbolic_link_comes_back_as_one_and_its_content_is_shown(tree: Tree) -> None:
    Path(tree.etc, "there").write_bytes(b"content")
    os.symlink("there", f"{tree.etc}/x")
    before = tree.seen()
    run = tree.deploy([tree.target("x", b"one")])
    (change,) = go_back(tree, run)
    assert (change.before, change.after) == (b"one", b"content")
    assert tree.seen() == before


def test_before_the_first_run_there_was_no_record(tree: Tree) -> None:
    run = tree.deploy([tree.target("x", b"one")])
    (change,) = go_back(tree, run)
    assert (change.action, change.reason) == ("remove", "it was not there before")
    assert tree.record == records.Record()
    assert tree.seen() == {}
