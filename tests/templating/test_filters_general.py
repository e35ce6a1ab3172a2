"""Filters and tests from Ansible, as templates use them."""

from __future__ import annotations

import json

import pytest
import yaml

from deploykit.errors import InvalidInput

VALUES = {
    "text": 'a\'b "c" $d',
    "nested": {"b": [1, 2.5, None, True], "a": {"x": "ü", "y": "no"}},
    "hosts": ["a", "b", "A", "b"],
    "null": None,
    "when": "8.10",
    "fraction": 8.1,
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        (
            "{{ 'yes' if 'ON' | bool else 'no' }} {{ 'yes' if '0' | bool else 'no' }} {{ 'yes' if 1 | bool else 'no' }}",
            "yes no yes",
        ),
        ("{{ 'yes' if null | bool else 'no' }}", "no"),
        ("{{ true | ternary('a', 'b') }}{{ [] | ternary('a', 'b') }}{{ null | ternary('a', 'b', 'c') }}", "abc"),
        ("{{ null | ternary('a', 'b') }}", "b"),
        ("{{ 'one\ntwo' | comment }}", "#\n# one\n# two\n#"),
        ("{{ 'one\n\ntwo' | comment('ini') }}", ";\n; one\n;\n; two\n;"),
        ("{{ 'one' | comment('c') }}", "//\n// one\n//"),
        ("{{ 'one' | comment('cblock') }}", "/*\n * one\n */"),
        ("{{ 'one' | comment('xml') }}", "<!--\n - one\n-->"),
        ("{{ 'one' | comment(decoration='## ', prefix='##==', postfix_count=0) }}", "##==\n## one"),
        ("{{ 'one' | comment(prefix='', postfix='') }}", "# one"),
        ("{{ 'a-b-c' | regex_replace('-(.)', '_\\\\1') }}", "a_b_c"),
        ("{{ 'aAa' | regex_replace('a', '', ignorecase=true) }}.", "."),
        ("{{ 'a\na' | regex_replace('^a', 'b', multiline=true) }}", "b\nb"),
        ("{{ nested | to_json }}", json.dumps(VALUES["nested"])),
        ("{{ nested | tojson }}", json.dumps(VALUES["nested"])),
        ("{{ '<&>' | to_json }}", '"<&>"'),
        ("{{ nested | to_nice_json }}", json.dumps(VALUES["nested"], indent=4, sort_keys=True)),
        ("{{ ('[1, 2]' | from_json)[1] }}", "2"),
        ("{{ ({'a': 1, 'n': {'x': 1}} | combine({'b': 2, 'n': {'y': 2}})) | to_json }}", '{"a": 1, "n": {"y": 2}, "b": 2}'),
        ("{{ ({'n': {'x': 1}} | combine({'n': {'y': 2}}, recursive=true)) | to_json }}", '{"n": {"x": 1, "y": 2}}'),
        ("{{ ([{'a': 1}, {'a': 2}] | combine) | to_json }}", '{"a": 2}'),
        ("{{ text | quote }}", "'a'\"'\"'b \"c\" $d'"),
        ("{{ '/a/b.c' | basename }} {{ '/a/b.c' | dirname }} {{ '/a' | dirname }} {{ 'a' | dirname }}.", "b.c /a / ."),
        ("{{ 'ü:x' | b64encode }} {{ 'w7w6eA==' | b64decode }}", "w7w6eA== ü:x"),
        ("{{ 'x' | hash }}", "11f6ad8ec52a2984abaafd7c3b516503785c2072"),
        ("{{ 'x' | hash('sha256') }}", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
        ("{{ 'x' | hash('md5') }} {{ 'x' | hash('sha512') | length }}", "9dd4e461268c8034f5c8564e155c67a6 128"),
        ("{{ hosts | unique | join }} {{ hosts | union(['c', 'a']) | join }}", "abA abAc"),
        ("{{ hosts | intersect(['b', 'A', 'z']) | join }} {{ hosts | difference(['b']) | join }}", "bA aA"),
        ("{{ [{'a': 1}, {'a': 1}, {'a': 2}] | unique | length }}", "2"),
        ("{{ 'yes' if '1.10' is version('1.9', '>') }}{{ 'yes' if '1.9' is version('1.10', 'lt') }}", "yesyes"),
        ("{{ 'yes' if '1.25.1' is version_compare('1.25', '>=') }}{{ 'yes' if '8.2' is version('8.2') }}", "yesyes"),
        ("{{ 'yes' if '1.2rc1' is version('1.2.0', '<') }}{{ 'yes' if '1.2' is version('1.3', '!=') }}", "yesyes"),
        ("{{ 'yes' if 9 is version('10', 'le') }}{{ 'no' if '2' is version('10', 'ge') else '' }}", "yes"),
        ("{{ 'yes' if 'abc' is match('ab') }}{{ 'no' if 'abc' is match('bc') else '' }}", "yes"),
        ("{{ 'yes' if 'abc' is search('bc') }}{{ 'yes' if 'abc' is regex('C', ignorecase=true) }}", "yesyes"),
    ],
)
def test_output(rendered, source, output):
    assert rendered(source, **VALUES) == output + "\n"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'maybe' | bool | string }}",
        "{{ 2 | bool | string }}",
        "{{ [] | bool | string }}",
        "{{ 'x' | comment('nosuch') }}",
        "{{ null | comment }}",
        "{{ 'x' | regex_replace('(') }}",
        "{{ 'x' | regex_replace('x', '\\\\9') }}",
        "{{ range | to_json }}",
        "{{ '{' | from_json }}",
        "{{ {} | combine([]) }}",
        "{{ {} | combine('x') | to_json }}",
        "{{ null | quote }}",
        "{{ 1.5 | basename }}",
        "{{ '*' | b64decode }}",
        "{{ '/w==' | b64decode }}",
        "{{ 'x' | hash('crc') }}",
        "{{ 'x' | unique }}",
        "{{ hosts | union('x') }}",
        "{{ fraction is version('8.1') | string }}",
        "{{ when is version('8.1', 'about') | string }}",
        "{{ true is version('1') | string }}",
        "{{ 'x' is match('(') | string }}",
    ],
)
def test_refused(rendered, source):
    with pytest.raises(InvalidInput) as error:
        rendered("\n" + source, **VALUES)
    assert error.value.at is not None
    assert error.value.at.line == 2


def test_yaml_comes_back(rendered):
    for name in ("to_yaml", "to_nice_yaml"):
        assert yaml.safe_load(rendered("{{ value | " + name + " }}", value=VALUES["nested"])) == VALUES["nested"]
    assert rendered("{{ value | to_nice_yaml }}", value={"b": {"x": 1}, "a": "ü"}) == "a: ü\nb:\n    x: 1\n"
    assert rendered("{{ value | to_yaml }}", value={"b": [1, 2], "a": "x"}) == "a: x\nb: [1, 2]\n"


@pytest.mark.parametrize(
    "source",
    ["{{ secret | b64decode }}", "{{ secret | bool | string }}", "{{ secret | from_json }}", "{{ secret | nginx_quote }}"],
)
def test_a_refusal_does_not_show_the_value(rendered, source):
    with pytest.raises(InvalidInput) as error:
        rendered(source, secret="p$ssw0rd")
    assert "p$ssw0rd" not in f"{error.value} {error.value.hint}"
