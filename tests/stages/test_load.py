from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploykit.commands import docs
from deploykit.errors import InvalidInput
from deploykit.stages.load import load
from deploykit.system import files

LINES = st.sampled_from(
    [
        "variables:",
        "  a: 1",
        "  a: off",
        "events:",
        "  AfterInstall:",
        "    - run: x",
        "files:",
        "  nginx/a: {mode: 0640}",
        "remove:",
        "  - nginx/a",
        "probes:",
        "  - http: {url: x}",
        "environments:",
        "  live:",
        "    groups: [x]",
        "secrets: [a]",
        "version: 1",
        "services: {nginx: {root: /}}",
        "- x",
        "a: [",
        "writable: [/]",
        "groups:",
        "instance: 5",
        "'",
        "\t",
        "? {}",
        "application:",
    ]
)


def bundle(tmp_path, content: bytes) -> str:
    (tmp_path / "deploykit.yml").write_bytes(content)
    return str(tmp_path)


def test_the_file_is_read_from_the_bundle(tmp_path):
    config = load(bundle(tmp_path, docs.text().encode()), files)
    assert config.application.text == "webapp"
    assert str(config.application.at).startswith("deploykit.yml:")


def test_a_bundle_without_the_file_says_which_folder_was_meant(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        load(str(tmp_path), files)
    assert str(caught.value) == "deploykit.yml: there is no such file"
    assert str(tmp_path) in caught.value.hint


def test_all_errors_come_at_once(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        load(bundle(tmp_path, b"version: 2\nvariabels: {}\n"), files)
    assert [str(problem.at) for problem in (caught.value, *caught.value.more)] == ["deploykit.yml:1:10", "deploykit.yml:2:1"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(), st.text().map(lambda text: text.encode("utf-8", "replace")), st.lists(LINES).map("\n".join).map(str.encode)
    )
)
def test_any_bytes_are_read_or_refused(tmp_path, content: bytes):
    problems: tuple[InvalidInput, ...] = ()
    try:
        load(bundle(tmp_path, content), files)
    except InvalidInput as error:
        problems = (error, *error.more)
    assert all(problem.at and problem.at.file == "deploykit.yml" for problem in problems)
