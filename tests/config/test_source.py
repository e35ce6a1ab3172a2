from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploykit.config.node import Node
from deploykit.config.scalars import free_form
from deploykit.config.source import DEPTH, read_file, read_yaml
from deploykit.errors import InvalidInput, Location
from deploykit.system import files

PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "  ",
        "\n",
        "\n  ",
        ":",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        '"',
        "#",
        "&a ",
        "*a",
        "!!str ",
        "|",
        ">",
        "%",
        "@",
        "? ",
        "\n---\n",
        "\t",
        "\\",
        "0",
        "é",
        "x: 1\n",
        "key: value\n",
        "- x\n",
        "{{ a }}",
        "http://x",
        " #c",
        "|2-",
        '"\\ud800"',
        '"\\UFFFFFFFF"',
        "\r\n",
        "\x85",
        "<<: ",
        "~",
    ]
)
YAML_LIKE = st.lists(PIECES, max_size=14).map("".join)


def refused(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_yaml(text, "f.yml")
    return caught.value


def shape(node: Node) -> object:
    """Everything that a Node tells, places too."""
    inner = {key: shape(child) for key, child in node.children.items()} or [shape(entry) for entry in node.entries]
    return node.kind, node.at, node.key_at, node.text, inner


def outcome(text: str, pure: bool) -> object:
    try:
        return shape(read_yaml(text, "f", pure=pure))
    except InvalidInput as error:
        return [(str(problem), problem.hint) for problem in (error, *error.more)]


def test_every_key_and_value_has_its_place():
    root = read_yaml('a: 1\nb:\n  - "x"\n  - c: é d\n', "f.yml")
    assert root.children["a"].at == Location("f.yml", 1, 4)
    assert root.children["b"].key_at == Location("f.yml", 2, 1)
    second = root.children["b"].entries[1]
    assert second.children["c"].at == Location("f.yml", 4, 8)
    assert second.children["c"].key_at == Location("f.yml", 4, 5)
    assert (root.kind, second.children["c"].kind, root.children["b"].entries[0].kind) == ("map", "plain", "quoted")


def test_text_is_kept_as_it_was_written():
    node = read_yaml("{a: 0660, b: off, c: 1:30, d: 8.10, e: 2026-01-02, f: 'x', g: , 1: 2, true: 3}", "f")
    assert {key: child.text for key, child in node.children.items()} == {
        "a": "0660", "b": "off", "c": "1:30", "d": "8.10", "e": "2026-01-02", "f": "x", "g": "", "1": "2", "true": "3",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_an_empty_node(text: str):
    assert read_yaml(text, "f").empty


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yml:3:1", '"a" stands twice in this map, first in line 1'),
        ("x: &a 1\ny: *a\n", "f.yml:1:4", "an anchor (&a)"),
        ("a: {<<: {b: 1}}\n", "f.yml:1:5", "a merge key (<<)"),
        ("a: !!int 3\n", "f.yml:1:4", "a tag"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1", "a second document"),
        ("a: 1\n : 2\n", "f.yml:2:2", "not YAML"),
        ("? \n: 2", "f.yml:1:2", "an empty key"),
        ("a: b: c\n", "f.yml:1:5", "not YAML: mapping values are not allowed here"),
        ("a: [1, 2\nb: 3\n", "f.yml:2:2", "not YAML"),
        ("a: {{ b }}\n", "f.yml:1:5", "a key that is no text"),
        ("a:\n\tb: 1\n", "f.yml:2:1", "a tab"),
        ("a: 1\t\n", "f.yml:1:5", "a tab"),
        ("a: 'it's'\n", "f.yml:1:8", "not YAML"),
        ("a: [*]\n", "f.yml:1:6", "not YAML"),
        ("a: @b\n", "f.yml:1:4", "not YAML"),
        ("\ufeffa: 1\n", "f.yml:1:1", "a byte order mark (U+FEFF)"),
        ("a: 1\nb: \x07\n", "f.yml:2:4", "a control character (U+0007)"),
        ('a: "\\ud800"\n', "f.yml:1:4", "an escape for half a character"),
        ('a: "\\UFFFFFFFF"\n', "f.yml:1:7", "an escape that is no character"),
        ("[" * (DEPTH + 1), f"f.yml:1:{DEPTH + 1}", f"nested more than {DEPTH} deep"),
    ],
)
def test_what_is_refused_says_where_and_what_to_do(text: str, place: str, message: str):
    error = refused(text)
    assert str(error.at) == place
    assert error.message.startswith(message)
    assert error.hint or message.startswith("nested")


def test_refusals_come_all_at_once():
    error = refused("a: &x 1\na: *x\nb: !t {}\n")
    assert [str(problem.at) for problem in (error, *error.more)] == ["f.yml:1:4", "f.yml:2:1", "f.yml:2:4", "f.yml:3:4"]


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
@settings(max_examples=400, deadline=None)
@given(YAML_LIKE)
@example("b: ")
@example("a\t")
@example("|#")
@example('"\\ud800"')
def test_both_parsers_say_the_same(text: str):
    assert outcome(text, pure=False) == outcome(text, pure=True)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), YAML_LIKE, st.text(st.characters(categories=["Cs", "Cc"]))))
def test_any_text_is_read_or_refused(text: str):
    problems: tuple[InvalidInput, ...] = ()
    try:
        free_form(read_yaml(text, "f"))
    except InvalidInput as error:
        problems = (error, *error.more)
    assert all(problem.at and problem.at.line >= 1 for problem in problems)


def test_a_file_that_is_not_there_is_none_and_others_say_why(tmp_path):
    assert read_file(str(tmp_path / "no.yml"), "no.yml", files) is None
    (tmp_path / "latin.yml").write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(InvalidInput, match=r"^latin\.yml:2: not UTF-8$"):
        read_file(str(tmp_path / "latin.yml"), "latin.yml", files)
    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        read_file(str(tmp_path), "folder", files)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
def test_a_thousand_maps_cost_less_than_pyyaml_itself():
    values = ("value-{0}", "{0}", '"quoted {0}"', "true", "/var/www/site{0}/public", "1.5")
    entries = ["    - name: x"] + [f"      key_{n}: {values[n % 6].format(n)}" for n in range(47)]
    text = "variables:\n  sites:\n" + "\n".join(entries * 1000)

    def cost(function) -> float:
        started = time.process_time()
        function()
        return time.process_time() - started

    ours = min(cost(lambda: free_form(read_yaml(text, "f"))) for _ in range(3))
    theirs = min(cost(lambda: yaml.load(text, yaml.CSafeLoader)) for _ in range(3))
    assert free_form(read_yaml(text, "f")) == yaml.load(text, yaml.CSafeLoader)
    assert ours < 1.5 * theirs
