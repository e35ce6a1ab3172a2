"""Known ways out of a sandbox: all refused at their line, and nothing of them is carried out."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploykit.errors import InvalidInput, Location

ATTEMPTS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__']['__base__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ ''|attr('__cl' ~ 'ass__') }}",
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ cycler.__init__.__globals__.os.popen('touch MARK').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__['__builtins__'] }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context.environment }}",
    "{{ range.__self__ }}",
    "{{ php_children.__globals__ }}",
    "{{ php_children.__code__.co_consts }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(cycler) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "{{ ('{0.__class__}' | attr('format'))(1) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(1) }}",
    "{{ ['{0.__class__}'] | map('attr', 'format') | first | string }}{{ ''.__class__ is defined }}",
    "{{ ''.__class__ | default('x') }}",
    "{% for x in (1 for y in [1]) %}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{{ [].append.__self__ }}{{ names.clear() }}",
    "{{ names.pop() }}",
    "{{ settings.update(x=1) }}",
    "{{ 'x' * 10**9 }}",
    "{{ [1] * 100000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% set n = namespace(x=10**9) %}{% for i in range(40) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{% for x in range(10**8) %}x{% endfor %}",
    "{{ lipsum.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ dict.mro() }}",
    "{{ dict.__base__ }}",
    "{% include '/etc/passwd' %}",
    "{{ open('/etc/passwd').read() }}",
    "{{ loop.__class__ }}",
    "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{{ ().__class__.__bases__[0] }}",
    "{{ 1 .__class__ }}",
    "{{ ''.join.__self__.__class__ }}",
    "{{ (names | groupby('__class__')) | list }}",
    "{{ names | sort(attribute='__class__') | first }}",
    "{{ names | sum(attribute='__class__') }}",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_refused_at_its_line(bundle, tmp_path: Path, attempt: str):
    mark = tmp_path / "mark"
    names, settings = ["a"], {"b": 1}
    bundle.write("t.j2", "# first\n" + attempt.replace("MARK", str(mark)) + "\n")
    with pytest.raises(InvalidInput) as error:
        bundle.open(names=names, settings=settings, php_children=lambda: 1).render("t.j2")
    assert error.value.at == Location("config_templates/t.j2", 2)
    assert not mark.exists()
    assert (names, settings) == (["a"], {"b": 1})


def test_arithmetic_still_works(rendered):
    assert rendered("{{ '=' * 6 }} {{ 1048576 * 65536 }} {{ 2 ** 10 }} {{ ([1] * 3) | length }} {{ (0.5 * 4) | int }}") == (
        "====== 68719476736 1024 3 2\n"
    )
