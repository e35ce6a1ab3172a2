"""Files are changed below the allowed folders alone, never through a symbolic link, and are right when they appear."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

from deploykit import places
from deploykit.errors import Refused
from deploykit.system import files
from deploykit.system.files import WritableFiles

ME = (os.geteuid(), os.getegid())
ODD_NAMES = ["two\nlines.conf", " blank ", "caf\u00e9.conf", "-rf", "a\tb", "caf\udce9.conf", "x" * 255]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def machine(root: Path) -> Iterator[WritableFiles]:
    made = WritableFiles()
    made.allow([str(root)])
    yield made
    close(made)


def close(machine: WritableFiles) -> None:
    for opened in machine._open.values():  # a run of the program ends instead
        os.close(opened)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def write(machine: WritableFiles, path: Path, content: bytes = b"new", mode: int = 0o644) -> None:
    machine.write_new(str(path), content, mode, *ME)


# --- where ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["outside.conf", "root/../outside.conf", "rootless/x.conf"])
def test_nothing_outside_the_roots_is_written(root: Path, machine: WritableFiles, way: str) -> None:
    (root.parent / "rootless").mkdir()
    with pytest.raises(Refused) as refused:
        machine.write_new(f"{root.parent}/{way}", b"x", 0o644, *ME)
    assert refused.value.status == 3
    assert {path.name for path in root.parent.rglob("*")} == {"root", "rootless"}


def test_every_changing_call_stays_inside(root: Path, machine: WritableFiles) -> None:
    inside, outside = str(root / "in"), str(root.parent / "out")
    Path(outside).write_text("theirs")
    write(machine, root / "in")
    calls = [
        lambda: machine.rename(inside, outside),
        lambda: machine.rename(outside, inside),
        lambda: machine.remove(outside),
        lambda: machine.link(inside, outside + "2"),
        lambda: machine.link(outside, inside + "2"),
        lambda: machine.append(outside, b"x"),
        lambda: machine.make_folder(outside + "3", 0o755, *ME),
        lambda: machine.remove_folder(str(root.parent / "root2")),
    ]
    for call in calls:
        with pytest.raises(Refused):
            call()
    assert Path(outside).read_text() == "theirs"
    assert sorted(path.name for path in root.parent.rglob("*")) == ["in", "out", "root"]


@pytest.mark.parametrize("path", ["", "/", "relative", ".."])
def test_what_names_no_file_is_refused(machine: WritableFiles, path: str) -> None:
    with pytest.raises(Refused):
        machine.remove(path)


def test_a_root_that_is_one_file_is_written_and_its_neighbours_are_not(tmp_path: Path) -> None:
    machine = WritableFiles()
    machine.allow([str(tmp_path / "php-fpm.conf"), str(tmp_path / "pool.d")])
    write(machine, tmp_path / f"{places.TEMPORARY}run-1")
    machine.rename(f"{tmp_path}/{places.TEMPORARY}run-1", f"{tmp_path}/php-fpm.conf")
    machine.make_folder(f"{tmp_path}/pool.d", 0o755, *ME)
    for neighbour in ("php.ini", "php-fpm.conf.new", "passwd"):
        with pytest.raises(Refused):
            write(machine, tmp_path / neighbour)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["php-fpm.conf", "pool.d"]
    close(machine)


def test_making_a_root_does_not_open_the_folder_above_it(tmp_path: Path) -> None:
    machine = WritableFiles()
    machine.allow([str(tmp_path / "nginx")])
    machine.make_folder(str(tmp_path / "nginx"), 0o755, *ME)
    with pytest.raises(Refused):
        write(machine, tmp_path / "passwd")
    close(machine)


def test_a_root_that_is_not_there_is_made_with_its_parents_and_removed_again(tmp_path: Path) -> None:
    machine = WritableFiles()
    machine.allow([str(tmp_path / "a/b/c")])
    folders = [str(tmp_path / name) for name in ("a", "a/b", "a/b/c")]
    for folder in folders:
        machine.make_folder(folder, 0o755, *ME)
    write(machine, tmp_path / "a/b/c/file")
    machine.remove(folders[-1] + "/file")
    for folder in reversed(folders):
        machine.remove_folder(folder)
    assert not list(tmp_path.iterdir())
    close(machine)


# --- symbolic links ---------------------------------------------------------------------------------------------------


def test_a_folder_that_is_a_symbolic_link_is_not_written_through(root: Path, machine: WritableFiles, tmp_path: Path) -> None:
    (tmp_path / "trap").mkdir()
    (root / "conf.d").symlink_to(tmp_path / "trap")
    with pytest.raises(Refused, match=r"conf\.d is a symbolic link or no folder"):
        write(machine, root / "conf.d/x.conf")
    (root / "deep").mkdir()
    (root / "deep/link").symlink_to(tmp_path)
    with pytest.raises(Refused, match="link is a symbolic link"):
        write(machine, root / "deep/link/trap/x.conf")
    assert not list((tmp_path / "trap").iterdir())


def test_a_folder_that_is_swapped_for_a_link_between_two_calls_is_not_followed(
    root: Path, machine: WritableFiles, tmp_path: Path
) -> None:
    (tmp_path / "trap").mkdir()
    (root / "conf.d").mkdir()
    write(machine, root / "conf.d/one.conf")
    (root / "conf.d").rename(root / "moved")
    (root / "conf.d").symlink_to(tmp_path / "trap")
    write(machine, root / "conf.d/two.conf")  # in the folder that was looked at, wherever it is now
    assert not list((tmp_path / "trap").iterdir())
    assert {path.name for path in (root / "moved").iterdir()} == {"one.conf", "two.conf"}


def test_a_symbolic_link_in_the_way_is_neither_followed_nor_replaced(
    root: Path, machine: WritableFiles, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (root / "x.conf").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write(machine, root / "x.conf")
    with pytest.raises(OSError, match="symbolic links"):
        machine.append(str(root / "x.conf"), b"x")
    machine.remove(str(root / "x.conf"))
    assert victim.read_text() == "theirs"


def test_a_root_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "etc").symlink_to("real")
    machine = WritableFiles()
    machine.allow([str(tmp_path / "etc")])
    write(machine, tmp_path / "etc/x")
    assert (tmp_path / "real/x").read_bytes() == b"new"
    close(machine)


# --- what a new file is like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o000, 0o4755, 0o2750, 0o1644])
def test_a_new_file_has_exactly_its_mode(root: Path, machine: WritableFiles, mode: int) -> None:
    before = os.umask(0o077)
    try:
        write(machine, root / "x", mode=mode)
    finally:
        os.umask(before)
    assert files.find(str(root / "x")).mode == mode


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o2755])
def test_a_new_folder_has_exactly_its_mode(root: Path, machine: WritableFiles, mode: int) -> None:
    machine.make_folder(str(root / "d"), mode, *ME)
    assert files.find(str(root / "d")).mode == mode


@needs_root
@pytest.mark.root
@pytest.mark.parametrize("mode", [0o640, 0o4755, 0o6711])
def test_a_file_is_given_away_with_its_set_id_bits(root: Path, machine: WritableFiles, mode: int) -> None:
    machine.write_new(str(root / "x"), b"x", mode, 33, 33)
    machine.make_folder(str(root / "d"), mode, 33, 34)
    found, folder = files.find(str(root / "x")), files.find(str(root / "d"))
    assert (found.mode, found.uid, found.gid) == (mode, 33, 33)
    assert (folder.mode, folder.uid, folder.gid) == (mode, 33, 34)


@needs_root
@pytest.mark.root
def test_in_a_set_group_id_folder_the_group_is_still_the_one_that_was_asked_for(root: Path, machine: WritableFiles) -> None:
    os.chown(root, 0, 33)
    root.chmod(0o2775)
    write(machine, root / "x")
    machine.make_folder(str(root / "d"), 0o755, *ME)
    assert (files.find(str(root / "x")).gid, files.find(str(root / "d")).gid) == (0, 0)
    assert files.find(str(root / "d")).mode == 0o755


def test_content_is_nobody_elses_to_see_before_owner_and_mode_are_right(root: Path, machine: WritableFiles) -> None:
    """The file is watched while a large content is being written: it is never wider than 0600 until it is done."""
    seen = set()

    class Large(bytes):
        pass

    pid = os.fork()
    if pid == 0:
        write(machine, root / "x", Large(b"x" * (64 << 20)), 0o644)
        os._exit(0)
    ended = 0
    while not ended:
        found = files.find(str(root / "x"))
        if found.there:
            seen.add((found.mode, found.size == 64 << 20))
        ended, status = os.waitpid(pid, os.WNOHANG)
    assert status == 0
    assert {mode for mode, whole in seen if not whole} <= {0o600}
    assert files.find(str(root / "x")).mode == 0o644


def test_a_file_that_cannot_be_written_whole_is_not_left_behind(root: Path, machine: WritableFiles) -> None:
    import resource

    pid = os.fork()
    if pid == 0:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write(machine, root / "x", b"x" * 5000)
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert not list(root.iterdir())


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(root: Path, machine: WritableFiles, name: str) -> None:
    path, second = str(root / name), str(root / "second")
    machine.write_new(path, b"odd", 0o644, *ME)
    assert files.find(path).kind == "file"
    assert files.names(str(root)) == (name,)
    machine.link(path, second)
    machine.remove(path)
    machine.rename(second, path)
    assert files.read(path) == b"odd"


# --- a second name ----------------------------------------------------------------------------------------------------


def test_on_one_file_system_a_link_is_a_second_name(root: Path, machine: WritableFiles) -> None:
    write(machine, root / "x")
    (root / "link").symlink_to("nowhere")
    machine.link(str(root / "x"), str(root / "y"))
    machine.link(str(root / "link"), str(root / "link2"))
    assert files.find(str(root / "y")).same_as(files.find(str(root / "x")))
    assert os.readlink(root / "link2") == "nowhere"


def test_on_another_file_system_a_link_is_a_true_copy(root: Path, machine: WritableFiles, elsewhere: Path) -> None:
    machine.allow([str(elsewhere)])
    uid, gid = (33, 34) if os.geteuid() == 0 else ME
    machine.write_new(str(root / "x"), b"content", 0o6751, uid, gid)
    os.utime(root / "x", ns=(1_000_000_007, 1_234_567_890_123_456_789))
    (root / "link").symlink_to("no/where")
    os.utime(root / "link", ns=(1, 2_000_000_003), follow_symlinks=False)
    for name in ("x", "link"):
        machine.link(str(root / name), str(elsewhere / name))
        one, other = files.find(str(root / name)), files.find(str(elsewhere / name))
        assert one.device != other.device
        assert (one.kind, one.mode, one.uid, one.gid, one.size, one.mtime_ns, one.link) == (
            other.kind,
            other.mode,
            other.uid,
            other.gid,
            other.size,
            other.mtime_ns,
            other.link,
        )
    assert files.read(str(elsewhere / "x")) == b"content"


@pytest.mark.parametrize("there", [False, True])
def test_a_file_moves_to_another_file_system_even_over_a_copy_that_was_cut_off(
    root: Path, machine: WritableFiles, elsewhere: Path, there: bool
) -> None:
    machine.allow([str(elsewhere)])
    write(machine, root / "x", b"content", 0o640)
    os.utime(root / "x", ns=(1, 2_000_000_003))
    if there:
        (elsewhere / "x").write_bytes(b"cont")
    machine.move(str(root / "x"), str(elsewhere / "x"))
    assert not list(root.iterdir())
    found = files.find(str(elsewhere / "x"))
    assert (found.mode, found.mtime_ns, files.read(str(elsewhere / "x"))) == (0o640, 2_000_000_003, b"content")
    machine.move(str(elsewhere / "x"), str(elsewhere / "y"))
    assert files.find(str(elsewhere / "y")).inode == found.inode


def test_a_copy_shares_nothing_with_what_it_was_made_from(root: Path, machine: WritableFiles) -> None:
    write(machine, root / "x", b"one")
    machine.copy(str(root / "x"), str(root / "y"))
    with open(root / "y", "ab") as file:
        file.write(b" edited")
    assert files.read(str(root / "x")) == b"one"


def test_a_second_name_never_replaces(root: Path, machine: WritableFiles, elsewhere: Path) -> None:
    machine.allow([str(elsewhere)])
    write(machine, root / "x")
    for taken in (root / "y", elsewhere / "y"):
        taken.write_text("theirs")
        with pytest.raises(FileExistsError):
            machine.link(str(root / "x"), str(taken))
        assert taken.read_text() == "theirs"


@needs_root
@pytest.mark.root
def test_a_label_that_cannot_be_copied_is_no_reason_to_fail(root: Path, machine: WritableFiles) -> None:
    machine.write_new(str(root / "x"), b"x", 0o644, *ME, label_of=str(root / "absent"))
    machine.write_new(str(root / "y"), b"y", 0o644, *ME, label_of=str(root / "x"))
    assert files.read(str(root / "y")) == b"y"


# --- lines, looks -----------------------------------------------------------------------------------------------------


def test_lines_are_added_to_a_private_file(root: Path, machine: WritableFiles) -> None:
    machine.append(str(root / "journal"), b"one\n")
    machine.append(str(root / "journal"), b"two\n")
    assert files.read(str(root / "journal")) == b"one\ntwo\n"
    assert files.find(str(root / "journal")).mode == 0o600


def test_file_systems_are_synced_and_folders_that_are_gone_are_passed_over(
    root: Path, machine: WritableFiles, elsewhere: Path
) -> None:
    machine.sync([str(root), str(elsewhere), str(root / "gone")])


def test_what_lies_at_a_path(root: Path) -> None:
    (root / "file").write_bytes(b"12345")
    (root / "link").symlink_to("file")
    os.mkfifo(root / "pipe")
    kinds = {name: files.find(str(root / name)).kind for name in ("file", "link", "pipe", ".", "absent", "file/below")}
    assert kinds == {
        "file": "file",
        "link": "symlink",
        "pipe": "other",
        ".": "folder",
        "absent": "absent",
        "file/below": "absent",
    }
    assert (files.find(str(root / "file")).size, files.find(str(root / "link")).link) == (5, "file")
    assert files.names(str(root / "absent")) == files.names(str(root / "file")) == ()


def test_free_space_is_that_of_the_nearest_folder_that_exists(root: Path) -> None:
    there = os.statvfs(root)
    free, inodes = files.free_space(str(root / "not/there/yet"))
    assert 0 < free <= there.f_blocks * there.f_frsize
    assert inodes > 0


def test_a_found_file_is_the_same_until_anything_about_it_changes(root: Path) -> None:
    path = root / "x"
    path.write_text("one")
    before = files.find(str(path))
    os.link(path, root / "second")
    assert files.find(str(path)).same_as(before)
    path.chmod(stat.S_IMODE(path.stat().st_mode) ^ 0o011)
    assert not files.find(str(path)).same_as(before)
