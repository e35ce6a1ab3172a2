"""``deploykit bundle`` as it is typed: what it writes, what it refuses, and with which exit status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from support.bundles import TOP, build_sample, copy_checkout, hook, unpack, write_small

from deploykit.cli import main

Refuse = Callable[..., Dict[str, Any]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what of this repository travels."""
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture
def refuse(checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Bundle the checkout, which must not work; gives the exit status and the errors."""

    def run(*words: str) -> Dict[str, Any]:
        target = tmp_path / "revision.zip"
        status = main(["bundle", "--json", "--source", str(checkout), "-o", str(target), *words])
        told = json.loads(capsys.readouterr().out)
        assert not target.exists()
        errors = [one for one in told.get("findings", []) if one["severity"] == "error"]
        return {"status": status, "errors": [(one["rule"], one["file"], one["line"]) for one in errors], "told": told}

    return run


def test_what_looks_like_a_secret_is_refused_unless_it_is_allowed(checkout: Path, refuse: Refuse) -> None:
    (checkout / "app/.env").write_text("PASSWORD=1\n")
    (checkout / "id_rsa").write_text("key")
    told = refuse("--allow", "id_rsa")
    assert (told["status"], told["errors"]) == (3, [("bundle-secret", "app/.env", None)])


def test_every_reason_is_told_at_once(checkout: Path, refuse: Refuse) -> None:
    (checkout / "app/link").symlink_to("VERSION")
    (checkout / "app/VERSION").chmod(0o4755)
    (checkout / "app/a\nb").write_text("")
    hook_text = (checkout / "hooks/after_install").read_text()
    (checkout / "hooks/after_install").write_bytes(hook_text.replace("\n", "\r\n").encode())
    told = refuse()
    assert {error[0] for error in told["errors"]} == {
        "bundle-symlink",
        "bundle-mode",
        "bundle-name",
        "appspec-script-crlf",
    }
    assert told["status"] == 65


def test_a_wrong_appspec_is_refused_at_its_line(checkout: Path, refuse: Refuse) -> None:
    text = (checkout / "appspec.yml").read_text()
    (checkout / "appspec.yml").write_text(text.replace("timeout: 60\n", "timeout: 1h\n", 1))
    told = refuse()
    line = text[: text.index("timeout: 60\n")].count("\n") + 1
    assert told["status"] == 65
    assert {error[1:] for error in told["errors"]} == {("appspec.yml", line)}


def test_a_wrong_deploykit_yml_is_refused_at_its_line(checkout: Path, refuse: Refuse) -> None:
    text = (checkout / "deploykit.yml").read_text()
    (checkout / "deploykit.yml").write_text(text + "varaibles: {}\n")
    told = refuse()
    assert told["status"] == 65
    assert told["told"]["at"]["line"] == text.count("\n") + 1


def test_a_file_of_variables_that_is_left_out_is_refused(checkout: Path, refuse: Refuse) -> None:
    text = (checkout / "deploykit.yml").read_text()
    assert "    #file: environments/staging.yml" in text
    (checkout / "deploykit.yml").write_text(text.replace("    #file: environments", "    file: environments"))
    assert [error[0] for error in refuse()["errors"]] == ["bundle-missing"]


def test_files_where_the_libraries_will_be_are_refused(checkout: Path, refuse: Refuse) -> None:
    (checkout / "vendor/lib/mine").mkdir(parents=True)
    (checkout / "vendor/lib/mine/x.php").write_text("")
    assert refuse()["errors"] == [("bundle-vendor", "vendor/lib/mine/x.php", None)]


def test_a_folder_called_like_a_library_is_refused(checkout: Path, refuse: Refuse) -> None:
    (checkout / "yaml").mkdir()
    (checkout / "yaml/x.php").write_text("")
    told = refuse()
    assert told["status"] == 3
    assert "called like the library" in json.dumps(told["told"])


@pytest.mark.parametrize("words", [["--source", "/nowhere"], ["-o", "/nowhere/x.zip"], ["--sbom", "/"]])
def test_what_makes_no_sense_is_a_mistake_of_the_command_line(checkout: Path, words: List[str], tmp_path: Path) -> None:
    given = ["--source", str(checkout), "-o", str(tmp_path / "x.zip"), *words]
    assert main(["bundle", *given]) == 64


def test_parts_of_deploykit_that_a_checkout_lacks_come_from_this_one(checkout: Path, tmp_path: Path) -> None:
    for name in ("deploykit", "hooks"):
        shutil.rmtree(checkout / name)
    (checkout / "run.py").unlink()
    told = bundle_of(checkout, tmp_path / "x.zip")
    folder = unpack(tmp_path / "x.zip", tmp_path / "x")
    assert told["files"] == len([path for path in folder.rglob("*") if path.is_file()])
    assert hook(folder, "after_install", "--help").returncode == 0


def test_composer_s_vendor_folder_and_ours_get_along(checkout: Path, tmp_path: Path) -> None:
    (checkout / "vendor/composer").mkdir(parents=True)
    (checkout / "vendor/composer/autoload.php").write_text("<?php\n")
    bundle_of(checkout, tmp_path / "x.zip")
    folder = unpack(tmp_path / "x.zip", tmp_path / "x")
    assert (folder / "vendor/composer/autoload.php").exists()
    assert hook(folder, "after_install", "--help").returncode == 0


def bundle_of(source: Path, target: Path, *words: str) -> Dict[str, Any]:
    return build_sample(target, *words, source=source).told


def test_a_zip_in_the_checkout_is_not_packed_into_itself(checkout: Path, tmp_path: Path) -> None:
    first = bundle_of(checkout, checkout / "app/revision.zip", "--sbom", str(checkout / "app/bill.json"))
    second = bundle_of(checkout, checkout / "app/revision.zip", "--sbom", str(checkout / "app/bill.json"))
    assert first["sha256"] == second["sha256"]
    with zipfile.ZipFile(checkout / "app/revision.zip") as archive:
        assert not {"app/revision.zip", "app/bill.json"} & set(archive.namelist())


def test_a_later_date_is_taken_from_the_environment(checkout: Path, tmp_path: Path) -> None:
    bundle_of(checkout, tmp_path / "warm.zip")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP), *sys.path]), "SOURCE_DATE_EPOCH": "1700000000"}
    words = [sys.executable, "-m", "deploykit", "bundle", "--source", str(checkout), "-o", str(tmp_path / "x.zip")]
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "what weighs most" in ended.stdout
    assert "\x1b" not in ended.stdout
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_the_small_bundle_of_other_tests_is_laid_out_like_the_real_one(tmp_path: Path) -> None:
    bundle_of(TOP, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        real = {name.rsplit("/", 1)[0] for name in archive.namelist() if "/" in name}
    small = {str(path.parent.relative_to(tmp_path / "s")) for path in write_small(tmp_path / "s").rglob("*") if path.is_file()}
    assert small - {"."} <= real | {f"vendor/{os.uname().machine}", "vendor/lib"}
