"""Deployments as text: revisions, what lies on the machine, and what the agent makes of it. tests/cases/simulator/README.md
says how to read and write them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import pytest

from deploykit.cli import main

CASES = Path(__file__).resolve().parent.parent / "cases" / "simulator"
GROUP = "728539b6-2e25-cc88-d15d-57948eae0d61"  # of the group that simulate has by default


class Section(NamedTuple):
    verb: str
    words: List[str]
    lines: List[str]


class Case(NamedTuple):
    name: str
    agents: List[str]
    needs: str
    sections: List[Section]


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file: ``=== title``, prose, then sections that begin with ``--- verb words``."""
    for part in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, *sections = re.split(r"^--- ", part, flags=re.MULTILINE)
        title = head.splitlines()[0]
        agents = re.search(r"^agents: (.*)$", head, re.MULTILINE)
        needs = re.search(r"^needs: (.*)$", head, re.MULTILINE)
        yield Case(
            f"{path.stem}: {title}",
            agents.group(1).split() if agents else ["v1", "v2"],
            needs.group(1) if needs else "",
            [_section(text) for text in sections],
        )


def _section(text: str) -> Section:
    first, _, rest = text.partition("\n")
    verb, *words = shlex.split(first)
    return Section(verb, words, rest.split("\n")[:-1])


ALL = [(case, agent) for path in sorted(CASES.glob("*.txt")) for case in read_cases(path) for agent in case.agents]


@pytest.fixture
def workspace() -> Iterator[Path]:
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="dk-simulator-")))
    folder.chmod(0o755)  # for hooks that run as somebody else
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(("case", "agent"), ALL, ids=[f"{case.name} ({agent})" for case, agent in ALL])
def test_case(case: Case, agent: str, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if case.needs == "root" and os.geteuid() != 0:
        pytest.skip("owners can only be changed by root")
    if case.needs == "plain user" and os.geteuid() == 0:
        pytest.skip("root needs no excuses")
    player = Player(workspace, agent, capsys)
    for section in case.sections:
        player.play(section)
    assert player.simulated, "a case without a deployment proves nothing"


class Player:
    """Carries out the sections of a case one after the other. Everything lies in ``top``; the machine is ``top/root``."""

    def __init__(self, top: Path, agent: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.top = top
        self.agent = agent
        self.simulated = 0
        self._capsys = capsys

    def play(self, section: Section) -> None:
        getattr(self, f"_{section.verb}")(section.words, section.lines)

    def _file(self, words: List[str], lines: List[str]) -> None:
        self._write(words, "".join(line + "\n" for line in lines).replace("@ROOT@", f"{self.top}/root").encode())

    def _bytes(self, words: List[str], lines: List[str]) -> None:
        self._write(words, _unescaped("".join(lines)))

    def _appspec(self, words: List[str], lines: List[str]) -> None:
        self._file([f"{words[0]}/appspec.yml"], ["version: 0.0", "os: linux", *lines])

    def _script(self, words: List[str], lines: List[str]) -> None:
        self._file([words[0], "0755"], ["#!/bin/sh", *lines])

    def _write(self, words: List[str], content: bytes) -> None:
        path = self.top / _unescaped(words[0]).decode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(int(words[1], 8) if len(words) > 1 else 0o644)

    def _folder(self, words: List[str], lines: List[str]) -> None:
        path = self.top / words[0]
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(int(words[1], 8) if len(words) > 1 else 0o755)

    def _link(self, words: List[str], lines: List[str]) -> None:
        path = self.top / words[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(words[1].replace("@ROOT@", f"{self.top}/root"))

    def _copy(self, words: List[str], lines: List[str]) -> None:
        shutil.copytree(self.top / words[0], self.top / words[1], symlinks=True)

    def _remove(self, words: List[str], lines: List[str]) -> None:
        for word in words:
            path = self._place(word)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _zip(self, words: List[str], lines: List[str]) -> None:
        """As ``zip -y -r``: modes and symbolic links are in it."""
        folder = self.top / words[1]
        with zipfile.ZipFile(self.top / words[0], "w") as archive:
            for path in sorted(folder.rglob("*")):
                seen = path.lstat()
                info = zipfile.ZipInfo(str(path.relative_to(folder)) + ("/" if stat.S_ISDIR(seen.st_mode) else ""))
                info.create_system, info.external_attr = 3, seen.st_mode << 16
                content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
                archive.writestr(info, content)

    def _simulate(self, words: List[str], lines: List[str]) -> None:
        options = [word for word in words if word.startswith("--") or word.isdigit() or "," in word]
        given = ["simulate", "--root", str(self.top / "root"), "--agent", self.agent, "--json"]
        for word in words:
            given += [word] if word in options or word.isupper() else ["--revision", str(self.top / word)]
        self._capsys.readouterr()
        status = main(given)
        said = self._capsys.readouterr()
        self.simulated += 1
        document = json.loads(said.out)
        for line in lines:
            self._expect(line, status, document)

    def _expect(self, line: str, status: int, document: Dict[str, Any]) -> None:
        only, bar, rest = line.partition("| ")
        if bar and only in ("v1", "v2"):
            if only != self.agent:
                return
            line = rest
        if line.strip() and not line.startswith("#"):
            self._check(line.strip(), status, document)

    def _check(self, line: str, status: int, document: Dict[str, Any]) -> None:
        number = re.match(r"(\d+): ", line)
        end = document["deployments"][int(number.group(1)) - 1 if number else -1]
        subject, _, wanted = (line[number.end() :] if number else line).partition(" ")
        if subject == "exit":
            assert status == int(wanted), json.dumps(document, indent=1)
        elif subject in ("file", "absent", "folder", "link", "mode", "owner"):
            self._look(subject, wanted, line)
        elif subject == "events":
            assert [event["event"] for event in end["events"]] == wanted.split()
        elif subject == "console":
            _compare(line, wanted, {"console": end["console"] or {}, **(end["console"] or {})}, self._text)
        else:
            (event,) = [event for event in end["events"] if event["event"] == subject]
            _compare(line, wanted, _flat(event), self._text)

    def _look(self, kind: str, wanted: str, line: str) -> None:
        name, _, rest = wanted.partition(" ")
        path = self._place(name)
        if kind == "absent":
            assert not os.path.lexists(path), line
        elif kind == "folder":
            assert path.is_dir(), line
            assert not path.is_symlink(), line
        elif kind == "link":
            assert os.readlink(path) == self._text(rest.partition("-> ")[2]).decode(), line
        elif kind == "mode":
            assert f"{stat.S_IMODE(path.lstat().st_mode):04o}" == rest, line
        elif kind == "owner":
            assert path.owner() == rest, line
        else:
            _compare_text(line, rest, path.read_bytes(), self._text)

    def _place(self, name: str) -> Path:
        agent = f"{self.top}/root/opt/codedeploy-agent/deployment-root"
        return self.top / name.replace("GROUP/", f"{agent}/{GROUP}/").replace("AGENT/", f"{agent}/").replace("ID", GROUP)

    def _text(self, wanted: str) -> bytes:
        return _unescaped(wanted).replace(b"@ROOT@", f"{self.top}/root".encode())


def _flat(event: Dict[str, Any]) -> Dict[str, Any]:
    first = event["reports"][0] if event["reports"] else {}
    return {
        **event,
        "from": event["archive"] or "nothing",
        "code": first.get("error_code", "0"),
        "message": first.get("message", ""),
        "notes": "\n".join(event["notes"]),
        "codes": " ".join(report["error_code"] for report in event["reports"]),
        "ran": " ".join(f"{one['location']}={one['status']}" for one in event["scripts"]) or "nothing",
    }


def _compare(line: str, wanted: str, seen: Dict[str, Any], text: Callable[[str], bytes]) -> None:
    word, _, rest = wanted.partition(" ")
    if word in ("Succeeded", "Skipped", "Ignored", "Failed"):
        assert (seen["status"], seen["code"]) == (word, rest or "0"), f"{line}\n{seen}"
    elif word == "took":
        limit = float(rest.split()[1])
        assert seen["seconds"] >= limit if rest.startswith(">") else seen["seconds"] < limit, f"{line}\n{seen}"
    elif word in ("from", "ran", "codes"):
        assert seen[word] == rest, f"{line}\n{seen}"
    elif word == "nothing":
        assert seen["console"] == {}, line
    else:
        _compare_text(line, rest, str(seen[word]).encode(), text)


def _compare_text(line: str, wanted: str, seen: bytes, text: Callable[[str], bytes]) -> None:
    verb, _, rest = wanted.partition(" ")
    value = text(rest)
    right = {"is": seen == value, "has": value in seen, "lacks": value not in seen}[verb]
    assert right, f"{line}\nseen: {seen!r}"


def _unescaped(text: str) -> bytes:
    return text.encode("utf-8").decode("unicode_escape").encode("latin-1") if "\\" in text else text.encode("utf-8")


def test_every_case_file_is_read() -> None:
    assert len({case.name for case, _ in ALL}) == sum(
        path.read_text("utf-8").count("\n=== ") + path.read_text("utf-8").startswith("=== ") for path in CASES.glob("*.txt")
    )


def test_a_case_can_fail(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    player = Player(workspace, "v1", capsys)
    player.play(Section("appspec", ["one"], ["files: []"]))
    with pytest.raises(AssertionError):
        player.play(Section("simulate", ["one"], ["exit 1"]))
    for wrong in ("Install Failed 5", "ApplicationStop from d-000000001", "console message has x", "file one/appspec.yml is x"):
        with pytest.raises((AssertionError, KeyError)):
            player.play(Section("simulate", ["one"], [wrong]))
