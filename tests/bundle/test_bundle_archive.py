"""The zip."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Dict

import pytest

from deploykit.bundle import archive
from deploykit.bundle.entry import Entry, made
from deploykit.errors import InvalidInput


def test_date() -> None:
    assert archive.date({}) == (1980, 1, 1, 0, 0, 0)
    assert archive.date({"SOURCE_DATE_EPOCH": "0"}) == (1980, 1, 1, 0, 0, 0)
    assert archive.date({"SOURCE_DATE_EPOCH": "1700000001"}) == (2023, 11, 14, 22, 13, 20)


@pytest.mark.parametrize("epoch", ["-1", "yesterday", "1.5", "99999999999"])
def test_what_is_no_date_is_refused(epoch: str) -> None:
    with pytest.raises(InvalidInput, match="SOURCE_DATE_EPOCH"):
        archive.date({"SOURCE_DATE_EPOCH": epoch})


def test_order_modes_and_dates_are_fixed_and_the_manifest_comes_first(tmp_path: Path) -> None:
    entries = [made("b", b"2", 0o755), made(".a", b"1")]
    archive.write(str(tmp_path / "x.zip"), entries, archive.OLDEST, lambda _: None)
    archive.write(str(tmp_path / "y.zip"), reversed(entries), archive.OLDEST, lambda _: None)
    assert (tmp_path / "x.zip").read_bytes() == (tmp_path / "y.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "x.zip") as opened:
        found = [(info.filename, info.external_attr >> 16, info.date_time) for info in opened.infolist()]
    day = (1980, 1, 1, 0, 0, 0)
    assert found == [("MANIFEST.sha256", 0o100644, day), (".a", 0o100644, day), ("b", 0o100755, day)]


def test_a_failure_leaves_the_former_zip_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("former")
    with pytest.raises(FileNotFoundError):
        archive.write(str(tmp_path / "x.zip"), [Entry("a", source=str(tmp_path / "gone"))], archive.OLDEST, lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]
    assert (tmp_path / "x.zip").read_text() == "former"


def test_what_weighs_most() -> None:
    sizes: Dict[str, int] = {
        "app/js/a/x": 5,
        "app/js/b": 6,
        "app/big": 10,
        "vendor/lib/jinja2/x": 20,
        "vendor/lib/yaml/x": 1,
        "run.py": 2,
    }
    assert archive.heaviest(sizes, 4) == [
        ("vendor/lib/jinja2/", 20, 1),
        ("app/js/", 11, 2),
        ("app/big", 10, 1),
        ("run.py", 2, 1),
    ]
