"""Wanted against found: the cross product, what must go, and where nothing is written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, Tuple

import pytest
from support.tree import Tree, TreeIn

from deploykit.errors import InvalidInput, Location, Refused

FOUND: Dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "the same": lambda path: (path.write_bytes(b"new"), path.chmod(0o644)),
    "the same, 0600": lambda path: (path.write_bytes(b"new"), path.chmod(0o600)),
    "another content": lambda path: (path.write_bytes(b"old"), path.chmod(0o644)),
    "another content, 0600": lambda path: (path.write_bytes(b"old"), path.chmod(0o600)),
    "a link to the same": lambda path: (path.with_name("there").write_bytes(b"new"), path.symlink_to("there")),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
}
AS_LIVE, PLAIN = -1, 0o644
# found -> (action and mode when the mode stays as it is live, action and mode when 0644 is wanted)
EXPECTED: Dict[str, Tuple[Tuple[str, int], Tuple[str, int]]] = {
    "nothing": (("create", 0o644), ("create", 0o644)),
    "the same": (("", 0), ("", 0)),
    "the same, 0600": (("", 0), ("attributes", 0o644)),
    "another content": (("replace", 0o644), ("replace", 0o644)),
    "another content, 0600": (("replace", 0o600), ("replace", 0o644)),
    "a link to the same": (("replace", 0o644), ("replace", 0o644)),
    "a link to nowhere": (("replace", 0o644), ("replace", 0o644)),
}


@pytest.fixture
def tree() -> Iterator[Tree]:
    with TreeIn("/tmp") as made:
        yield made


@pytest.mark.parametrize("found", FOUND)
def test_wanted_x_found(tree: Tree, found: str) -> None:
    FOUND[found](Path(tree.etc, "x.conf"))
    for mode, (action, planned) in zip((AS_LIVE, PLAIN), EXPECTED[found]):
        difference = tree.difference([tree.target("x.conf", b"new", mode)])
        actions = [(change.action, change.mode) for change in difference.changes]
        assert actions == ([(action, planned)] if action else [])
        assert difference.unchanged == (0 if action else 1)


@pytest.mark.parametrize("found", ["another content", "the same, 0600"])
def test_a_change_holds_what_a_reader_and_the_switch_need(tree: Tree, found: str) -> None:
    path = Path(tree.etc, "x.conf")
    FOUND[found](path)
    (change,) = tree.difference([tree.target("x.conf", b"new", 0o640)]).changes
    assert (change.before, change.after) == (path.read_bytes(), b"new")
    assert (change.path, change.template) == (str(path), "config_templates/nginx/x.conf.j2")
    assert change.found == tree.machine().find(str(path))


def test_a_folder_in_the_place_of_a_file_is_refused_at_its_template(tree: Tree) -> None:
    os.mkdir(f"{tree.etc}/x.conf")
    with pytest.raises(Refused, match="is a folder") as refused:
        tree.difference([tree.target("x.conf")])
    assert refused.value.at == Location("config_templates/nginx/x.conf.j2")
    os.rmdir(f"{tree.etc}/x.conf")
    os.mkfifo(f"{tree.etc}/x.conf")
    with pytest.raises(Refused, match="is a device, pipe or socket"):
        tree.difference([tree.target("x.conf")])


def test_folders_are_made_parents_first(tree: Tree) -> None:
    os.mkdir(f"{tree.etc}/there")
    targets = [tree.target(name) for name in ("a/b/c/x", "a/z/x", "there/x", "x")]
    assert tree.difference(targets).folders == tuple(f"{tree.etc}/{name}" for name in ("a", "a/b", "a/b/c", "a/z"))


def test_below_a_prefix_the_folders_of_the_packages_are_made_too(tree: Tree) -> None:
    os.rmdir(f"{tree.prefix}/run")
    os.rmdir(f"{tree.prefix}/var/lib/nginx")
    assert tree.difference().folders == (f"{tree.prefix}/run", f"{tree.prefix}/var/lib/nginx")


# --- removals ---------------------------------------------------------------------------------------------------------


def test_files_of_a_former_revision_go_and_other_peoples_files_stay(tree: Tree) -> None:
    for name in ("ours", "kept", "theirs"):
        Path(tree.etc, name).write_bytes(b"x")
    tree.owns(ours=b"x", kept=b"x", gone=b"x")
    (change,) = tree.difference([tree.target("kept", b"x")]).changes
    assert (change.action, change.path, change.before) == ("remove", f"{tree.etc}/ours", b"x")
    assert change.reason == "its template config_templates/nginx/ours.j2 is gone"


def test_one_that_was_edited_by_hand_goes_with_a_remark(tree: Tree) -> None:
    Path(tree.etc, "ours").write_bytes(b"edited")
    tree.owns(ours=b"x")
    (change,) = tree.difference().changes
    assert "edited by hand" in change.reason
    assert "undo brings it back" in change.reason


def test_what_remove_lists_goes_whoever_put_it_there(tree: Tree) -> None:
    Path(tree.etc, "default").symlink_to("nowhere")
    Path(tree.etc, "both").write_bytes(b"x")
    tree.owns(both=b"x")
    tree.removing("default", "both", "not-there")
    changes = tree.difference().changes
    assert [(c.action, os.path.basename(c.path)) for c in changes] == [("remove", "default"), ("remove", "both")]
    assert changes[0].reason == "listed under remove: (deploykit.yml:1)"
    assert changes[0].before == b""


def test_what_is_rendered_cannot_be_removed_too(tree: Tree) -> None:
    tree.removing("other", "x")
    with pytest.raises(InvalidInput, match="both rendered and removed") as error:
        tree.difference([tree.target("x")])
    assert error.value.at == Location("deploykit.yml", 2)


def test_a_folder_is_not_removed(tree: Tree) -> None:
    os.mkdir(f"{tree.etc}/conf.d")
    tree.removing("conf.d")
    with pytest.raises(Refused, match="is a folder, not a file"):
        tree.difference()


# --- where nothing is written -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/etc/passwd", "{etc}-backup/x", "{folder}/x"])
def test_outside_the_roots_is_refused(tree: Tree, path: str) -> None:
    target = replace(tree.target("x"), path=path.format(etc=tree.etc, folder=tree.folder))
    with pytest.raises(Refused, match="outside the folders that may be written") as refused:
        tree.difference([target])
    assert refused.value.at == Location(target.template)
    assert "writable:" in refused.value.hint


def test_a_removal_outside_the_roots_is_refused(tree: Tree) -> None:
    Path(tree.folder, "outside").touch()
    tree.settings = replace(tree.settings, remove=((f"{tree.folder}/outside", "nginx", Location("deploykit.yml", 1)),))
    with pytest.raises(Refused, match="outside"):
        tree.difference()


@pytest.mark.parametrize("name", ["link/x", "link/deep/x", "real/link/x"])
def test_a_folder_that_is_a_symbolic_link_is_refused(tree: Tree, name: str) -> None:
    os.makedirs(f"{tree.etc}/real")
    for link in ("link", "real/link"):
        os.symlink("/tmp", f"{tree.etc}/{link}")
    with pytest.raises(Refused, match="is a symbolic link to /tmp") as refused:
        tree.difference([tree.target(name)])
    assert "the folder it points to" in refused.value.hint


def test_a_file_in_the_place_of_a_folder_is_refused(tree: Tree) -> None:
    Path(tree.etc, "conf.d").touch()
    with pytest.raises(Refused, match=r"conf\.d is a file"):
        tree.difference([tree.target("conf.d/x")])


# --- owners -----------------------------------------------------------------------------------------------------------


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="a plain user owns what it writes, whatever is wanted")
def test_owner_and_group_by_name_as_live_or_root(tree: Tree) -> None:
    live = Path(tree.etc, "live")
    live.write_bytes(b"old")
    os.chown(live, 33, 34)
    wanted = [tree.target("live"), tree.target("absent"), tree.target("named", owner="www-data", group="12")]
    owners = {os.path.basename(c.path): (c.uid, c.gid) for c in tree.difference(wanted).changes}
    assert owners == {"live": (33, 34), "absent": (0, 0), "named": (tree.machine().uid("www-data"), 12)}


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="a plain user owns what it writes, whatever is wanted")
@pytest.mark.parametrize(("field", "kind"), [("owner", "account"), ("group", "group")])
def test_an_unknown_owner_is_located(tree: Tree, field: str, kind: str) -> None:
    with pytest.raises(InvalidInput, match=f"{kind} 'nobody-knows' does not exist") as error:
        tree.difference([tree.target("x", **{field: "nobody-knows"})])  # type: ignore[arg-type]
    assert error.value.at == Location("config_templates/nginx/x.j2")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can give files away")
def test_a_plain_user_below_a_prefix_owns_everything(tree: Tree) -> None:
    (change,) = tree.difference([tree.target("x", owner="root")]).changes
    assert (change.uid, change.gid) == (os.geteuid(), os.getegid())
