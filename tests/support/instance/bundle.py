"""A revision of the sample application as it is deployed: this checkout's files and the run-time libraries."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Mapping, Tuple

from support.instance import vendor

CHECKOUT = Path(__file__).parents[3]
NAMES = ("appspec.yml", "deploykit.yml", "run.py", "hooks", "app", "config_templates", "deploykit")

Edits = Mapping[str, Tuple[str, str]]


def build(target: Path, edits: Edits) -> Path:
    """Make it in a new folder. edits: path to (text that is in the file, text in its place); ("", text) for a new file."""
    target.mkdir()
    for name in NAMES:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    shutil.copytree(vendor.build(), target / "vendor")
    for path, (old, new) in edits.items():
        _edit(target / path, old, new)
    return target


def _edit(path: Path, old: str, new: str) -> None:
    if not old:
        path.write_text(new, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
