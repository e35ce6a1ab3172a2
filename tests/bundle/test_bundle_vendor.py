"""From wheels to vendor/: made of wheels that are written here, so that they can differ as real ones must not."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Dict

import pytest

from deploykit.bundle import vendor
from deploykit.bundle.licences import licence
from deploykit.bundle.lock import Locked, Target
from deploykit.bundle.wheels import Wheel, fetch
from deploykit.errors import Failed, Refused

OLD, NEW, ARM = Target("3.9", "x86_64"), Target("3.13", "x86_64"), Target("3.9", "aarch64")
METADATA = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\nLicense: MIT\n"
FILES = {
    "thing/__init__.py": "pass\n",
    "thing/py.typed": "",
    "thing/_fast.c": "int x;",
    "thing/tests/test_x.py": "",
    "thing-1.0.dist-info/METADATA": METADATA,
    "thing-1.0.dist-info/RECORD": "",
    "thing-1.0.dist-info/licenses/LICENSE.txt": "MIT",
}


def wheel(path: Path, name: str = "thing", **more: str) -> Wheel:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**FILES, **{k.replace("__", "/", 1): v for k, v in more.items()}}.items():
            archive.writestr(file, text)
    return Wheel(name, "1.0", str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_pure_library_lies_in_lib_once_with_its_licence(tmp_path: Path) -> None:
    one = wheel(tmp_path / "thing-1.0-py3-none-any.whl")
    (library,) = vendor.build({OLD: (one,), NEW: (one,), ARM: (one,)})
    assert [entry.path for entry in library.entries] == [
        "vendor/lib/thing-1.0.dist-info/METADATA",
        "vendor/lib/thing-1.0.dist-info/licenses/LICENSE.txt",
        "vendor/lib/thing/__init__.py",
    ]
    assert (library.native, library.licence) == (False, "MIT")


def natives(folder: Path, name: str, **codes: str) -> Dict[Target, tuple[Wheel]]:
    return {
        target: (wheel(folder / str(target) / f"{name}-1.0-cp36-abi3-x.whl", name, **{"thing___c.abi3.so": codes[machine]}),)
        for target, machine in ((OLD, "old"), (NEW, "new"), (ARM, "arm"))
    }


def test_machine_code_lies_in_a_folder_for_each_machine(tmp_path: Path) -> None:
    (library,) = vendor.build(natives(tmp_path, "thing", old="x86", new="x86", arm="arm"))
    found = {entry.path: entry.content for entry in library.entries}
    assert found["vendor/x86_64/thing/_c.abi3.so"] == b"x86"
    assert found["vendor/aarch64/thing/_c.abi3.so"] == b"arm"
    assert "vendor/aarch64/thing/__init__.py" in found
    assert not [path for path in found if path.startswith("vendor/lib/")]


def test_machine_code_that_is_made_for_one_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"thing/_c.abi3.so differs between Python 3.9 on x86_64 and Python 3.13 on x86_64"):
        vendor.build(natives(tmp_path, "thing", old="for 3.9", new="for 3.13", arm="arm"))


def test_unless_the_library_does_as_well_without_it(tmp_path: Path) -> None:
    (library,) = vendor.build(natives(tmp_path, "pyyaml", old="for 3.9", new="for 3.13", arm="arm"))
    assert {entry.path.split("/")[1] for entry in library.entries} == {"lib"}
    assert not [entry for entry in library.entries if entry.path.endswith(".so")]


def test_pure_files_that_differ_are_refused(tmp_path: Path) -> None:
    one = wheel(tmp_path / "a/thing-1.0-py3-none-any.whl")
    other = wheel(tmp_path / "b/thing-1.0-py3-none-any.whl", thing__more="only here")
    with pytest.raises(Refused, match=r"thing/more differs between Python 3\.9 on x86_64 and Python 3\.9 on aarch64"):
        vendor.build({OLD: (one,), ARM: (other,)})


def test_a_good_cache_is_used_without_pip_and_a_bad_wheel_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no such library and no index: whatever asks pip fails."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    path = tmp_path / "x86_64-3.9/deploykit_no_such_thing-1.0-py3-none-any.whl"
    good = wheel(path, "deploykit-no-such-thing")
    locked = Locked("deploykit-no-such-thing", "1.0", frozenset({good.sha256}))
    assert fetch([locked], [OLD], str(tmp_path), lambda _: None) == {OLD: (good,)}
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(Failed, match=r"pip cannot fetch the libraries for Python 3\.9 on x86_64: ERROR: "):
        fetch([locked], [OLD], str(tmp_path), lambda _: None)
    assert [one.name for one in tmp_path.iterdir()] == ["x86_64-3.9"], "nothing half done is left"


@pytest.mark.parametrize(
    ("metadata", "text", "expected"),
    [
        ("License-Expression: BSD-3-Clause\n", "", {"license": {"id": "BSD-3-Clause"}}),
        ("License-Expression: MIT OR Apache-2.0\n", "", {"expression": "MIT OR Apache-2.0"}),
        ("License: Apache 2.0\n", "", {"license": {"id": "Apache-2.0"}}),
        ("License: MIT\n", "", {"license": {"id": "MIT"}}),
        ("Classifier: License :: OSI Approved :: MIT License\n", "", {"license": {"id": "MIT"}}),
        (
            "Classifier: License :: OSI Approved :: BSD License\n",
            "in binary form ... Neither the name",
            {"license": {"id": "BSD-3-Clause"}},
        ),
        ("Classifier: License :: OSI Approved :: BSD License\n", "in binary form", {"license": {"id": "BSD-2-Clause"}}),
        ("License: My own\n", "", {"license": {"name": "My own"}}),
        ("Name: x\n", "", {"license": {"name": "unknown"}}),
    ],
)
def test_licences(metadata: str, text: str, expected: object) -> None:
    assert licence(metadata, text) == expected
