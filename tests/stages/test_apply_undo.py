"""Putting a plan live and taking it back: whatever the tree, whatever the plan, wherever it is cut off, all comes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.tree import Killed, KilledMachine, Tree, TreeIn, quiet

from deploykit import places, transaction
from deploykit.errors import Failed, Refused
from deploykit.journal import Journal
from deploykit.model import Plan
from deploykit.stages.apply import prepare
from deploykit.stages.undo import undo

ROOT = os.geteuid() == 0
NAMES = ["a.conf", "b\nc", "caf\udce9", "x" * 250, "conf.d/site.conf", "conf.d/deep/er", "new/folder/f"]
OWNERS = [0, 33] if ROOT else [os.geteuid()]


class Live(NamedTuple):
    """What lies there before: a link where ``link`` is set, else a file."""

    content: bytes
    mode: int
    uid: int
    mtime_ns: int
    link: str


class Wanted(NamedTuple):
    """What shall be there."""

    content: bytes
    mode: int


lives = st.builds(
    Live,
    st.binary(max_size=3),
    st.sampled_from([0o644, 0o600, 0o444, 0o4750, 0o2755]),
    st.sampled_from(OWNERS),
    st.integers(1, 2_000_000_000_000_000_000),
    st.sampled_from(["", "", "", "nowhere", "/dev/null"]),
)
wants = st.builds(Wanted, st.binary(max_size=3), st.sampled_from([-1, 0o644, 0o600, 0o2755]))
trees = st.dictionaries(st.sampled_from(NAMES), lives, max_size=5)
plans = st.dictionaries(st.sampled_from(NAMES), wants, max_size=5)
removed = st.sets(st.sampled_from(NAMES), max_size=3)
some = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lay(tree: Tree, lives: Dict[str, Live]) -> None:
    for name, live in lives.items():
        path = f"{tree.etc}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if live.link:
            os.symlink(live.link, path)
        else:
            Path(path).write_bytes(live.content)
            os.chown(path, live.uid, -1)
            os.chmod(path, live.mode)
        os.utime(path, ns=(live.mtime_ns, live.mtime_ns), follow_symlinks=False)


def planned(tree: Tree, wanted: Dict[str, Wanted], removed: set[str]) -> Plan:
    tree.removing(*(removed - set(wanted)))
    return tree.plan(tree.target(name, *one) for name, one in wanted.items())


def take_back(tree: Tree, killed_at: Optional[int] = None) -> bool:
    """Undo as a new process does. True when it came to its end."""
    machine = tree.machine(killed_at)
    try:
        transaction.recover(tree.prefix, machine, quiet())
    except Killed:
        return False
    return True


def is_live(tree: Tree, plan: Plan) -> None:
    for change in plan.changes:
        found = tree.machine().find(change.path)
        if change.action == "remove":
            assert not found.there
        else:
            assert (found.kind, found.mode, found.uid, found.gid) == ("file", change.mode, change.uid, change.gid)
            assert Path(change.path).read_bytes() == change.after
    assert Path(places.record(tree.prefix)).read_bytes() == plan.record


@some
@given(trees, plans, removed)
def test_a_plan_is_live_and_then_all_is_as_before(lives: Dict[str, Live], wanted: Dict[str, Wanted], removed: set[str]) -> None:
    with TreeIn("/dev/shm") as tree:
        lay(tree, lives)
        before = tree.seen()
        plan = planned(tree, wanted, removed)
        tree.switch(plan)
        is_live(tree, plan)
        assert take_back(tree)
        assert tree.seen() == before
        assert tree.leftovers() == []
        assert not os.path.exists(places.record(tree.prefix))


@some
@given(trees, plans, removed)
def test_a_second_plan_has_nothing_to_change(lives: Dict[str, Live], wanted: Dict[str, Wanted], removed: set[str]) -> None:
    with TreeIn("/dev/shm") as tree:
        lay(tree, lives)
        plan = planned(tree, wanted, removed)
        tree.switch(plan)
        assert planned(tree, wanted, removed).changes == ()


@pytest.mark.parametrize("kept", ["", "/tmp"])
def test_cut_off_anywhere_and_cut_off_again_while_undoing(kept: str) -> None:
    """With deploykit's own files on the same file system and, less often since that disk is slow, on another one."""

    @settings(some, max_examples=15 if kept else 150)
    @given(trees, plans, removed, st.data())
    def whatever(lives: Dict[str, Live], wanted: Dict[str, Wanted], removed: set[str], data: st.DataObject) -> None:
        cut_off_twice(kept, planned_for=(lives, wanted, removed), data=data)

    whatever()


def cut_off_twice(kept: str, planned_for: Tuple[Dict[str, Live], Dict[str, Wanted], set[str]], data: st.DataObject) -> None:
    lives, wanted, removed = planned_for
    with TreeIn("/dev/shm", kept) as tree:
        lay(tree, lives)
        before = tree.seen()
        plan = planned(tree, wanted, removed)
        tree.switch(plan, killed_at=data.draw(st.integers(0, 40), label="killed at"))
        while not take_back(tree, data.draw(st.integers(0, 25), label="undo killed at")):
            pass
        assert tree.seen() == before
        assert tree.leftovers() == []


# --- one by one -------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree() -> Iterator[Tree]:
    with TreeIn("/tmp") as made:
        yield made


def test_every_single_boundary(tree: Tree) -> None:
    """The same with one plan that has everything in it, at every call there is."""
    made = 10**6 - tree.switch(everything(tree))
    take_back(tree)
    before = tree.seen()
    for number in range(made + 1):
        tree.switch(everything(tree), killed_at=number)
        assert take_back(tree), number
        assert tree.seen() == before, number
        assert tree.leftovers() == [], number


def everything(tree: Tree) -> Plan:
    for name in ("replaced", "gone"):
        if not os.path.lexists(f"{tree.etc}/{name}"):
            Path(tree.etc, name).write_bytes(b"old")
    if not os.path.lexists(f"{tree.etc}/link"):
        os.symlink("gone", f"{tree.etc}/link")
    tree.removing("gone")
    return tree.plan(tree.target(name) for name in ("replaced", "link", "made", "deep/er/made"))


def test_nothing_live_is_touched_before_all_is_prepared(tree: Tree) -> None:
    plan = everything(tree)
    before = tree.seen()
    machine = RenamesCounted(tree.prefix, 10**6)
    machine.allow(tree.journal(plan).roots)
    prepare(plan, tree.journal(plan), machine)
    assert {path: seen for path, seen in tree.seen().items() if path in before} == before
    assert [path for path in machine.renamed if path.startswith(tree.etc)] == []


class RenamesCounted(KilledMachine):
    """Remembers what was renamed."""

    def __init__(self, prefix: str, at: int) -> None:
        super().__init__(prefix, at)
        self.renamed: List[str] = []

    def rename(self, source: str, target: str) -> None:
        self.renamed.append(target)
        super().rename(source, target)


def test_a_file_that_somebody_changes_meanwhile_is_not_overwritten(tree: Tree) -> None:
    Path(tree.etc, "x").write_bytes(b"old")
    plan = tree.plan([tree.target("a"), tree.target("x")])
    Path(tree.etc, "x").write_bytes(b"somebody else's")
    with pytest.raises(Refused, match="was changed while it was being deployed"):
        tree.switch(plan)
    take_back(tree)
    assert Path(tree.etc, "x").read_bytes() == b"somebody else's"
    assert not os.path.exists(f"{tree.etc}/a")


@pytest.mark.parametrize("before", [b"old", None])
def test_what_somebody_writes_after_the_switch_goes_into_the_history_and_the_old_file_comes_back(
    tree: Tree, before: Optional[bytes]
) -> None:
    path = Path(tree.etc, "x")
    if before:
        path.write_bytes(before)
    tree.switch(tree.plan([tree.target("x"), tree.target("y")]))
    path.write_bytes(b"somebody else's")
    journal = transaction.open_journal(tree.prefix, tree.machine())
    assert journal is not None
    machine = tree.machine()
    machine.allow(journal.roots)
    (remark,) = undo(journal, tree.prefix, machine)
    said, _, foreign = remark.partition(": see ")
    assert said == f"{path} was changed by somebody else after it was deployed"
    assert Path(foreign).read_bytes() == b"somebody else's"
    assert {name: seen.content for name, seen in tree.seen().items()} == ({"/x": before} if before else {})


def test_remarks_are_said_and_the_ending_tells_of_them(tree: Tree) -> None:
    tree.switch(tree.plan([tree.target("x")]))
    Path(tree.etc, "x").write_bytes(b"somebody else's")
    output = quiet()
    transaction.recover(tree.prefix, tree.machine(), output)
    assert output.ending.startswith("undone: 1 file as before, but for the remarks above")


def test_a_folder_that_others_use_meanwhile_stays(tree: Tree) -> None:
    tree.switch(tree.plan([tree.target("new/x")]))
    Path(tree.etc, "new/theirs").touch()
    take_back(tree)
    assert set(tree.seen()) == {"/new", "/new/theirs"}


@pytest.mark.parametrize(("space", "inodes"), [(1 << 19, 10**6), (10**9, 3)])
def test_no_room_is_told_before_anything_is_written(tree: Tree, space: int, inodes: int) -> None:
    class Small(KilledMachine):
        def free_space(self, folder: str) -> tuple[int, int]:
            return space, inodes

    machine = Small(tree.prefix, 0)
    plan = tree.plan([tree.target("x")])
    with pytest.raises(Failed, match="needed") as failed:
        transaction.put_live(plan, Journal("r", "e", "1", 0.0), machine)
    assert "nothing was changed" in failed.value.hint


def test_a_folder_of_its_own_is_no_root_within_a_root(tree: Tree) -> None:
    """Roots are not checked for being links: what is made on the way must not become one."""
    assert tree.journal(tree.plan([tree.target("new/deep/x")])).roots == (tree.etc,)


def test_only_the_last_runs_are_kept(tree: Tree) -> None:
    runs = [tree.deploy([tree.target("x", str(number).encode())]) for number in range(transaction.KEEP_RUNS + 3)]
    assert sorted(os.listdir(f"{tree.prefix}/var/lib/deploykit/history")) == sorted(runs)[-transaction.KEEP_RUNS :]
    assert tree.leftovers() == []
