"""From an output line to the template's line, through everything that moves lines about."""

from __future__ import annotations

import pytest

from deploykit.errors import Location
from deploykit.templating.lines import locations


def numbers(bundle, source: str, **names: object) -> list[int]:
    """Line numbers in t.j2, one for each output line."""
    bundle.write("t.j2", source)
    places = locations(bundle.open(), "t.j2", names)
    assert all(place.file == "config_templates/t.j2" for place in places)
    return [place.line for place in places]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("a\nb\nc\n", [1, 2, 3]),
        ("a\nb", [1, 2]),
        ("", []),
        ("{% if true %}\na\n{% endif %}\nb\n", [2, 4]),
        ("{% if true %}\n{{ one }}\n{% endif %}\nb\n", [2, 4]),
        ("{% if false %}\na\n{% else %}\n{{ one }}x\n{% endif %}\n", [4]),
        ("{# a\n comment #}\na\n", [3]),
        ("a\n\n\nb\n", [1, 1, 1, 4]),
        ("{% for x in many %}\n{{ x }};\nb\n{% endfor %}\nc\n", [2, 3, 2, 3, 2, 3, 5]),
        ("  {%- if true %}\n\n  a\n{%- endif %}\n\nb\n", [1, 3, 6]),
        ("{%- if true -%}\n\n\n  a\n{%- endif -%}\n\n b\n", [4]),
        ("a\n{{ lines }} x\nb\n", [1, 2, 2, 2, 3]),
        ("a\n    {{ lines }}\nb\n", [1, 2, 2, 2, 3]),
        ("{{ [\n'a',\n'b'] | join }}\nb\n", [1, 4]),
        ("{% raw %}\n{{ a }}\n{% endraw %}\nb\n", [1, 2, 4]),
        ("{% set x = 1 %}\n{% set y = {'a': 1} %}\na\n", [3]),
        ("{% set x %}\nin\n{% endset %}\na\n{{ x }}b\n", [4, 2, 5]),
        ("{% set x %}in{% endset %}\n{% if x == 'in' %}\na\n{% endif %}\nb\n", [3, 5]),
        ("{% macro m(v) %}\nv {{ v }}\n{% endmacro %}\n\na\n{{ m(1) }}b\n", [1, 5, 2, 6]),
        ("{% macro m(v) %}\n  v {{ v }}\n\n{% endmacro %}\na\n{{ m(1) | trim }}\nb\n", [5, 6, 7]),
        ("{% filter indent(2) %}\na\nb\n{% endfilter %}\nc\n", [2, 3, 5]),
        ("{% filter replace(' ', '') | trim %}\na a\nb\n{% endfilter %}\n\nc\n", [2, 3, 6]),
        ("{% call(x) each(many) %}\n{% endcall %}\na\n", [3]),
        ("{% with x = 1 %}\n{{ x }}\n{% endwith %}\n", [2]),
        ("a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc\r\n", [1, 3, 5]),
    ],
)
def test_one_template(bundle, source, lines):
    assert numbers(bundle, source, one=1, many=[1, 2, 3], lines="x\ny\nz", each=lambda many, caller: "") == lines


def test_includes_macros_and_blocks_of_other_templates(bundle):
    bundle.write("macros.j2", "\n{% macro server(name) %}\nserver {{ name }} {\n}\n{% endmacro %}\n")
    bundle.write("part.j2", "part {{ item }}\n\nend\n")
    bundle.write("base.j2", "first\n{% block body %}\n{% endblock %}\nlast\n")
    bundle.write(
        "t.j2",
        "{% extends 'base.j2' %}\n{% import 'macros.j2' as m %}\n{% block body %}\nown\n"
        "{% for x in [1, 2] %}\n{% include 'part.j2' %}\n{% endfor %}\n{{ m.server('x') }}\n{% endblock %}\n",
    )
    templates = bundle.open()
    text = templates.render("t.j2", {"item": "i"}).splitlines()
    places = [str(place).replace("config_templates/", "") for place in locations(templates, "t.j2", {"item": "i"})]
    assert list(zip(text, places)) == [
        ("first", "base.j2:1"),
        ("own", "t.j2:4"),
        ("part i", "part.j2:1"),
        ("", "part.j2:1"),
        ("end", "part.j2:3"),
        ("part i", "part.j2:1"),
        ("", "part.j2:1"),
        ("end", "part.j2:3"),
        ("server x {", "macros.j2:3"),
        ("}", "macros.j2:4"),
        ("", "macros.j2:4"),
        ("last", "base.j2:4"),
    ]


def test_where_marks_would_change_the_text_only_the_template_is_named(bundle):
    bundle.write("part.j2", "a")
    bundle.write("t.j2", "{% import 'part.j2' as p %}\n{{ 'one' if (p | string | length) == 1 else 'other' }} \ue0f01\ue0f1\n")
    assert locations(bundle.open(), "t.j2", {}) == (Location("config_templates/t.j2"),)
