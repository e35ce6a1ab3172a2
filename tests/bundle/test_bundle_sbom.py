"""The bill of materials of the sample application's bundle."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Dict

import pytest
from support.bundles import TOP, Built, build_sample

LICENCES = {
    "crossplane": "Apache-2.0",
    "jinja2": "BSD-3-Clause",
    "markupsafe": "BSD-3-Clause",
    "psutil": "BSD-3-Clause",
    "pyyaml": "MIT",
    "sh": "MIT",
}


@pytest.fixture(scope="module")
def bill(built: Built) -> Dict[str, Any]:
    with zipfile.ZipFile(built.path) as archive:
        document: Dict[str, Any] = json.loads(archive.read("sbom.cdx.json"))
    return document


def libraries(bill: Dict[str, Any]) -> Dict[str, Any]:
    return {one["name"]: one for one in bill["components"] if one["type"] == "library"}


def test_it_says_what_it_is(bill: Dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bill["serialNumber"])
    assert bill["metadata"]["component"]["name"] == "webapp"
    assert "timestamp" not in bill["metadata"]


def test_every_library_has_a_licence_a_purl_and_the_hash_of_its_wheels(bill: Dict[str, Any]) -> None:
    found = libraries(bill)
    assert {name: one["licenses"][0]["license"]["id"] for name, one in found.items()} == LICENCES
    lock = (TOP / "deploykit/bundle/requirements.lock").read_text("utf-8")
    for name, one in found.items():
        assert one["purl"] == f"pkg:pypi/{name}@{one['version']}"
        assert f"{name}=={one['version']}" in lock
        assert one["hashes"]
        assert all(row["content"] in lock for row in one["hashes"])
    assert len(found["psutil"]["hashes"]) == 2


def test_every_file_of_a_library_is_listed_with_its_hash(bill: Dict[str, Any], built: Built) -> None:
    listed = {file["name"]: file["hashes"][0]["content"] for one in libraries(bill).values() for file in one["components"]}
    with zipfile.ZipFile(built.path) as archive:
        there = {n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist() if n.startswith("vendor/")}
    assert listed == there


def test_references_lead_somewhere(bill: Dict[str, Any]) -> None:
    known = {one["bom-ref"] for one in bill["components"]} | {"revision"}
    assert {row["ref"] for row in bill["dependencies"]} == known
    assert {ref for row in bill["dependencies"] for ref in row["dependsOn"]} == known - {"revision"}
    needed = {row["ref"].partition("@")[0]: row["dependsOn"] for row in bill["dependencies"]}
    assert [ref.partition("@")[0] for ref in needed["pkg:pypi/jinja2"]] == ["pkg:pypi/markupsafe"]


def test_it_is_also_written_where_it_is_wanted(tmp_path: Path, built: Built) -> None:
    build_sample(tmp_path / "x.zip", "--sbom", str(tmp_path / "bill.json"))
    with zipfile.ZipFile(built.path) as archive:
        assert (tmp_path / "bill.json").read_bytes() == archive.read("sbom.cdx.json")
