"""Variables that are not defined are found without rendering, and what is guarded is not reported."""

from __future__ import annotations

from typing import List, Tuple

import pytest

from deploykit.errors import Location
from deploykit.templating.missing import missing


def found(templates, name: str = "t.j2", known: Tuple[str, ...] = ()) -> List[str]:
    return [str(problem) for problem in missing(templates, name, known)]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("{{ a }}", {"a": 2}),
        ("{% if known %}{{ a }}{% else %}{{ b }}{% endif %}", {"a": 2, "b": 2}),
        ("{% if false %}\n{{ a.b.c }}\n{% endif %}\n{{ a }}", {"a": 3}),
        ("{{ a }}\n{{ b }}\n{{ a }}", {"a": 2, "b": 3}),
        ("{% for x in a %}{{ x }}{% endfor %}", {"a": 2}),
        ("{% for x in known %}{% endfor %}\n{{ x }}", {"x": 3}),
        ("{% macro m(p) %}{{ p }}{{ q }}{% endmacro %}", {"q": 2}),
        ("{% with w = 1 %}{{ w }}{% endwith %}\n{{ w }}", {"w": 3}),
        ("{{ known[a] }}", {"a": 2}),
        ("{{ known | join(a) }}", {"a": 2}),
        ("{{ a | default('x') }}\n{{ a }}", {"a": 3}),
        ("{{ a.b | default('x') }}", {"a": 2}),
        ("{{ known | default(a) }}", {"a": 2}),
        ("{{ a | mandatory }}", {"a": 2}),
        ("{{ range(a) }}", {"a": 2}),
    ],
)
def test_missing(bundle, source, lines):
    bundle.write("t.j2", f"# one\n{source}\n")
    expected = [f'config_templates/t.j2:{line}: variable "{name}" is not defined' for name, line in lines.items()]
    assert found(bundle.open(known=["x"])) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ known }} {{ element }} {{ range(3) | join }} {{ namespace() is defined }} {{ none }} {{ true }}",
        "{{ a | default('x') }}{{ a | d }}",
        "{% if a is defined %}{{ a }}{% endif %}",
        "{% if a is not defined %}{% elif known %}{{ a }}{% endif %}",
        "{{ a if a is defined else 'x' }}",
        "{% set a = 1 %}{{ a }}",
        "{% if known %}{% set a = 1 %}{% endif %}{% if known %}{{ a }}{% endif %}",
        "{% set a %}text{% endset %}{{ a }}",
        "{% for a, b in known %}{{ a }}{{ b }}{{ loop.index }}{% endfor %}",
        "{% macro m(a, b=1) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{{ caller() }}{% endmacro %}{{ m(1) }}",
        "{% call(a) known.m() %}{{ a }}{% endcall %}",
        "{% include 'gone' ignore missing %}",
        "{% include ['gone', 'also gone'] %}",
        "{% include known %}",
        "{% raw %}{{ a }}{% endraw %}{# {{ a }} #}",
        "{% block b %}{{ known }}{{ self.b() }}{% endblock %}",
    ],
)
def test_nothing_is_missing(bundle, source):
    bundle.write("t.j2", source)
    assert found(bundle.open(known=["x"]), known=("element",)) == []


def test_the_nearest_name_is_offered(bundle):
    bundle.write("t.j2", "{{ server_nmae }}")
    problems = missing(bundle.open(server_name="x", port=1), "t.j2")
    assert problems[0].message == 'variable "server_nmae" is not defined (did you mean "server_name"?)'
    assert "deploykit.yml under variables:" in problems[0].hint


def test_included_imported_and_extended_templates_are_looked_at(bundle):
    bundle.write(
        "t.j2", "{% extends 'base.j2' %}\n{% import 'macros.j2' as m %}\n{% block a %}{% include 'part.j2' %}{% endblock %}"
    )
    bundle.write("base.j2", "{% block a %}{% endblock %}\n{{ below }}")
    bundle.write("macros.j2", "\n\n{% macro x() %}{{ inside }}{% endmacro %}")
    bundle.write("part.j2", "{{ element }}\n{{ part }}\n{% include 't.j2' %}")
    assert sorted(found(bundle.open(), known=("element",))) == [
        'config_templates/base.j2:2: variable "below" is not defined',
        'config_templates/macros.j2:3: variable "inside" is not defined',
        'config_templates/part.j2:2: variable "part" is not defined',
    ]


def test_what_the_includer_has_is_there_in_the_included(bundle):
    bundle.write(
        "t.j2",
        "{% set a = 1 %}{% for b in [1] %}{% include 'part.j2' %}{% endfor %}\n{{ c if c is defined else '' }}",
    )
    bundle.write("part.j2", "{{ a }}{{ b }}{{ c }}")
    assert found(bundle.open()) == []


def test_what_the_extended_template_sets_is_there_in_blocks(bundle):
    bundle.write("t.j2", "{% extends 'base.j2' %}{% block a %}{{ above }}{% endblock %}")
    bundle.write("base.j2", "{% extends 'root.j2' %}{% set above = 1 %}")
    bundle.write("root.j2", "{% block a %}{% endblock %}")
    templates = bundle.open()
    assert templates.render("t.j2") == "1\n"
    assert found(templates) == []


def test_an_import_does_not_see_the_element(bundle):
    bundle.write("t.j2", "{% import 'm.j2' as m %}{% import 'n.j2' as n with context %}")
    bundle.write("m.j2", "{{ element }}")
    bundle.write("n.j2", "{{ element }}")
    assert found(bundle.open(), known=("element",)) == ['config_templates/m.j2:1: variable "element" is not defined']


def test_what_cannot_be_read_is_in_the_list(bundle):
    bundle.write(
        "t.j2", "{% include 'gone' %}\n{% include 'broken.j2' %}\n{% include 'filter.j2' %}\n{% include '../x' %}\n{{ a }}"
    )
    bundle.write("broken.j2", "\n{% if %}")
    bundle.write("filter.j2", "\n\n{{ 1 | nosuch }}")
    problems = missing(bundle.open(), "t.j2")
    assert [problem.at for problem in problems] == [
        Location("config_templates/t.j2", 5),
        Location("config_templates/t.j2", 1),
        Location("config_templates/broken.j2", 2),
        Location("config_templates/filter.j2", 3),
        Location("config_templates/t.j2", 4),
    ]


def test_the_template_itself_may_be_gone(bundle):
    asked = Location("deploykit.yml", 4)
    problems = missing(bundle.open(), "gone.j2", (), asked)
    assert [(problem.message, problem.at) for problem in problems] == [
        ('there is no template "gone.j2" in config_templates/', asked)
    ]
