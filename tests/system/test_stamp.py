"""The stamp holds while nothing has changed, and no change of anything that was proved goes unnoticed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.system import stamp
from deploykit.system.stamp import Watch

ARGV = ["run", "AfterInstall", "--env", "test"]
ENVIRONMENT = {"APPLICATION_NAME": "app", "DEPLOYMENT_GROUP_NAME": "app-test", "DEPLOYMENT_ID": "d-1"}


class Proved:
    """A bundle, a package and one service's files with a process, stamped as proved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (
            "bundle/deploykit.yml",
            "bundle/config_templates/nginx/a.j2",
            "bundle/env/test.yml",
            "package/x.py",
            "etc/nginx.conf",
            "etc/conf.d/a.conf",
            "etc/conf.d/b.conf",
            "program",
            "instance.yml",
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        (folder / "etc/link.conf").symlink_to("conf.d/a.conf")
        self.process = subprocess.Popen(["sleep", "600"])
        (folder / "pid").write_text(f"{self.process.pid}\n")
        row = ("nginx", f"{folder}/pid", f"{folder}/program", f"{folder}/etc", f"{folder}/absent")
        self.watch = Watch(("env/test.yml", f"{folder}/instance.yml"), (row,))
        self.write()

    def write(self) -> None:
        bundle, package = f"{self.folder}/bundle", f"{self.folder}/package"
        sections = {
            "request": stamp.observe_request(ARGV, ENVIRONMENT),
            "inputs": stamp.observe_inputs(bundle, package, self.watch),
            "nginx": stamp.observe_service(self.watch.services[0]),
        }
        (self.folder / "stamp").write_bytes(stamp.dump(self.watch, sections).encode("utf-8", "surrogateescape"))

    def holds(self, argv: list[str] = ARGV, bundle: str = "bundle", **environment: str) -> bool:
        return stamp.holds(
            f"{self.folder}/stamp", argv, {**ENVIRONMENT, **environment}, f"{self.folder}/{bundle}", f"{self.folder}/package"
        )

    def read(self) -> tuple[Watch, dict[str, str]]:
        found = stamp.read(f"{self.folder}/stamp")
        assert found is not None
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def proved(tmp_path: Path) -> Iterator[Proved]:
    made = Proved(tmp_path)
    yield made
    made.close()


def test_unchanged_it_holds(proved: Proved) -> None:
    assert proved.holds()
    assert stamp.unchanged_services(proved.read()) == ("nginx",)


def linked(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


LIVE: dict[str, Callable[[Path], object]] = {
    "content of the same length": lambda top: (top / "etc/nginx.conf").write_text("ETC/nginx.conf"),
    "a save without a change": lambda top: (top / "etc/nginx.conf").write_text("etc/nginx.conf"),
    "mode": lambda top: (top / "etc/conf.d/a.conf").chmod(0o600),
    "mode of a folder": lambda top: (top / "etc/conf.d").chmod(0o700),
    "times alone": lambda top: os.utime(top / "etc/nginx.conf", ns=(1, 1)),
    "a copy in its place": lambda top: shutil.move(shutil.copy2(top / "etc/nginx.conf", top / "n"), top / "etc/nginx.conf"),
    "name": lambda top: (top / "etc/conf.d/a.conf").rename(top / "etc/conf.d/c.conf"),
    "a new file": lambda top: (top / "etc/conf.d/new.conf").touch(),
    "a new folder": lambda top: (top / "etc/sub").mkdir(),
    "a file that is gone": lambda top: (top / "etc/conf.d/b.conf").unlink(),
    "a folder that is there now": lambda top: (top / "absent").mkdir(),
    "a link that points elsewhere": lambda top: shutil.move(linked(top / "n", "nginx.conf"), top / "etc/link.conf"),
    "what a link points to": lambda top: (top / "etc/conf.d/a.conf").write_text("x"),
    "the program": lambda top: (top / "program").write_text("another version"),
    "a program that is gone": lambda top: (top / "program").unlink(),
    "no pid file": lambda top: (top / "pid").unlink(),
    "another process": lambda top: (top / "pid").write_text(str(os.getpid())),
    "nonsense in the pid file": lambda top: (top / "pid").write_text("nonsense"),
}
MADE_FROM: dict[str, Callable[[Path], object]] = {
    "deploykit.yml": lambda top: (top / "bundle/deploykit.yml").write_text("x"),
    "a template": lambda top: (top / "bundle/config_templates/nginx/a.j2").write_text("x"),
    "a new template": lambda top: (top / "bundle/config_templates/nginx/b.j2").touch(),
    "a template of another name": lambda top: (top / "bundle/config_templates/nginx/a.j2").rename(
        top / "bundle/config_templates/nginx/z.j2"
    ),
    "a template that is gone": lambda top: (top / "bundle/config_templates/nginx/a.j2").unlink(),
    "deploykit itself": lambda top: (top / "package/x.py").write_text("x"),
    "variables in the bundle": lambda top: (top / "bundle/env/test.yml").write_text("x"),
    "variables of the machine": lambda top: (top / "instance.yml").unlink(),
}


@pytest.mark.parametrize("change", LIVE)
def test_a_change_of_what_is_live_is_noticed(proved: Proved, change: str) -> None:
    LIVE[change](proved.folder)
    assert not proved.holds()
    assert stamp.unchanged_services(proved.read()) == ()


@pytest.mark.parametrize("change", MADE_FROM)
def test_a_change_of_what_it_was_made_from_is_noticed(proved: Proved, change: str) -> None:
    MADE_FROM[change](proved.folder)
    assert not proved.holds()
    assert stamp.unchanged_services(proved.read()) == ("nginx",)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
def test_a_change_of_owner_is_noticed(proved: Proved) -> None:
    os.chown(proved.folder / "etc/conf.d/a.conf", 33, 33)
    assert not proved.holds()


def test_a_process_that_died_is_noticed(proved: Proved) -> None:
    proved.close()
    assert not proved.holds()


@pytest.mark.parametrize("argv", [ARGV[:2], [*ARGV, "--var", "a=1"], ["run", "AfterInstall", "--env", "prod"]])
def test_another_question_is_not_the_one_that_was_proved(proved: Proved, argv: list[str]) -> None:
    assert not proved.holds(argv)


def test_what_was_typed_is_not_in_the_stamp() -> None:
    said = stamp.observe_request(["run", "AfterInstall", "--var", "db_password=canary"], ENVIRONMENT)
    assert "canary" not in said
    assert said != stamp.observe_request(["run", "AfterInstall", "--var", "db_password=other"], ENVIRONMENT)


def test_what_chooses_variables_counts_and_the_deployments_id_does_not(proved: Proved) -> None:
    assert not proved.holds(DEPLOYMENT_GROUP_NAME="app-prod")
    assert not proved.holds(APPLICATION_NAME="other")
    assert proved.holds(DEPLOYMENT_ID="d-2")


@pytest.mark.parametrize("words", [["--bundle", "/other"], ["--bundle=/other"]])
def test_a_bundle_may_move(proved: Proved, words: list[str]) -> None:
    (proved.folder / "bundle").rename(proved.folder / "archive-2")
    assert proved.holds([*ARGV, *words], bundle="archive-2")


def test_caches_of_python_do_not_count(proved: Proved) -> None:
    (proved.folder / "package/__pycache__").mkdir()
    (proved.folder / "package/__pycache__/x.pyc").write_bytes(b"x")
    assert proved.holds()


@pytest.mark.parametrize("name", ["two\nlines", "[nginx]", "\n[nginx]\n", "carriage\rreturn", "tab\tin it", "caf\udce9", " "])
def test_odd_names_are_watched_like_others(proved: Proved, name: str) -> None:
    path = os.path.join(f"{proved.folder}/etc", name.replace("/", ""))
    with open(path, "w") as file:
        file.write("one")
    proved.write()
    assert proved.holds()
    with open(path, "w") as file:
        file.write("two")
    assert not proved.holds()


@pytest.mark.parametrize(
    "text", ["", "nonsense", "deploykit stamp 0\n[request]\nx\n", "deploykit stamp 1\n", "\n[", "[request]\n"]
)
def test_a_stamp_that_is_none_never_holds(proved: Proved, text: str) -> None:
    (proved.folder / "stamp").write_text(text)
    assert not proved.holds()
    (proved.folder / "stamp").unlink()
    assert not proved.holds()


def test_a_stamp_of_the_live_side_alone_proves_services_but_no_request(proved: Proved) -> None:
    _, sections = proved.read()
    text = stamp.dump(Watch((), proved.watch.services), {"nginx": sections["nginx"]})
    (proved.folder / "stamp").write_text(text)
    assert not proved.holds()
    assert stamp.unchanged_services(proved.read()) == ("nginx",)


def test_refreshed_takes_a_new_process_as_long_as_the_files_are_those_that_were_proved(proved: Proved) -> None:
    (proved.folder / "pid").write_text(str(os.getpid()))
    fresh = stamp.refreshed(proved.read())
    assert fresh is not None
    (proved.folder / "stamp").write_text(fresh)
    assert proved.holds()
    (proved.folder / "etc/nginx.conf").write_text("edited")
    assert stamp.refreshed(proved.read()) is None
    assert stamp.refreshed(None) is None


lines = st.text(st.characters(codec="utf-8", exclude_characters="\n\t"), max_size=20)
paths = st.text(st.characters(codec="utf-8", exclude_characters="\n\t\0"), min_size=1, max_size=20).filter(
    lambda p: p[0] != "["
)
# Lines of observations begin with a path or a word; a newline within a name is written as two characters.
bodies = st.lists(lines.map(lambda text: "/" + text + "\n"), max_size=3).map("".join)


@given(
    st.lists(paths, max_size=3).map(tuple),
    st.lists(st.lists(paths, min_size=3, max_size=5).map(tuple), max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(["request", "inputs", "nginx", "php-fpm"]), bodies, max_size=4),
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    inputs: tuple[str, ...],
    services: tuple[tuple[str, ...], ...],
    sections: dict[str, str],
) -> None:
    path = tmp_path_factory.getbasetemp() / "stamp"
    path.write_bytes(stamp.dump(Watch(inputs, services), sections).encode())
    found = stamp.read(str(path))
    assert found is not None
    assert (found[0].inputs, found[0].services, found[1]) == (inputs, services, sections)
