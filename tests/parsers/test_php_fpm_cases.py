"""Cases as text files, ``tests/cases/php_fpm/*.txt``: files, what is in effect, and every problem with its place.

``--- NAME`` begins a file of that name, ``--- NAME crlf`` and ``bom`` say how it is written, ``--- environment`` holds
NAME=value lines, ``--- expect`` ends the files. ``@`` stands for the folder that all files lie in.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deploykit.parsers.php_fpm import FpmConfig, parse
from deploykit.parsers.tree import Tree

FOLDER = Path(__file__).parent.parent / "cases" / "php_fpm"
KINDS = ("fpm-syntax", "fpm-unknown-directive", "fpm-bad-value", "fpm-env-unset", "fpm-include-missing", "fpm-include-depth")
CASES = sorted(FOLDER.glob("*.txt"))


class Case:
    """One case, with its files below ``folder``."""

    def __init__(self, path: Path, folder: str) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self.environment: dict[str, str] = {}
        self.expected: list[str] = []
        for part in path.read_text(encoding="utf-8").split("--- ")[1:]:
            heading, _, body = part.partition("\n")
            self.add(heading.split(), body.replace("@", folder))
        self.main = next(iter(self.files))

    def add(self, heading: list[str], body: str) -> None:
        name, how = heading[0], heading[1:]
        if name == "environment":
            self.environment = dict(line.split("=", 1) for line in body.splitlines() if line)
        elif name == "expect":
            self.expected = [line for line in body.splitlines() if line]
        else:
            text = body.replace("\n", "\r\n") if "crlf" in how else body
            self.files[f"{self.folder}/{name}"] = (b"\xef\xbb\xbf" if "bom" in how else b"") + text.encode()

    def config(self) -> FpmConfig:
        tree = Tree(self.files)
        return parse(self.main, tree.read, tree.glob, self.environment)


def told(case: Case) -> list[str]:
    """What the expectations are about, in their words."""
    config = case.config()
    found = []
    for line in case.expected:
        where, _, key = f"{line} ".partition(" = ")[0].partition(" ")
        if where in ("pools", *KINDS):
            continue
        found.append(f"{where} {key} = {value(config, where, key)}".rstrip())
    found += [f"pools {' '.join(f'[{name}]' for name in config.pools)}"]
    found += [f"{p.kind} {p.severity} {p.at}".replace(case.folder + "/", "") for p in config.problems]
    return found


def value(config: FpmConfig, where: str, key: str) -> str:
    section = config.general if where == "global" else config.pools[where]
    if key.startswith("ini "):
        return str(config.pools[where].ini_value(key[4:]))
    if key.endswith("]"):
        name, _, bracket = key[:-1].partition("[")
        return config.pools[where].array(name)[bracket].value
    if key.endswith(" path"):
        return config.pools[where].path(key[:-5])
    if key == "listens":
        return config.pools[where].listen
    return str(section.get(key))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = Case(path, "/srv")
    assert told(case) == case.expected


def test_there_are_cases() -> None:
    assert len(CASES) >= 12
