"""The sandbox: what may be printed, what is undefined, what is refused, and where an error is said to be."""

from __future__ import annotations

import pytest

from deploykit.errors import DeadlineExceeded, Interrupted, InvalidInput, Location


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("a\n", "a\n"),
        ("a", "a\n"),
        ("a\n\n", "a\n\n"),
        ("", ""),
        ("{{ 5 }} {{ 'x' }}\n", "5 x\n"),
        ("    {% if true %}\n    a\n    {% endif %}\nb\n", "    a\nb\n"),
        ("{{ 'two\nlines' }}\n", "two\nlines\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("\ufeffuser x;\n", "user x;\n"),
        ("{{ '<&\"' }} ü\n", '<&" ü\n'),
    ],
)
def test_output(rendered, source, output):
    assert rendered(source) == output


@pytest.mark.parametrize(
    ("value", "kind", "hint"),
    [
        (None, "null", "default"),
        (True, "true", "nginx_onoff"),
        (False, "false", "fpm_bool"),
        (8.1, "a fraction", "string"),
        (["a"], "a list", "join"),
        ({"a": 1}, "a map", "to_json"),
        (b"x", "a bytes", "text"),
        ((1, 2), "a list", "join"),
    ],
)
def test_what_does_not_print_itself(rendered, value, kind, hint):
    with pytest.raises(InvalidInput, match=kind) as error:
        rendered("\n\nlisten {{ x }};\n", x=value)
    assert error.value.at == Location("config_templates/t.j2", 3)
    assert hint in error.value.hint


@pytest.mark.parametrize("source", ["{{ none }}", "{{ true }}", "{{ 1.5 }}", "{{ [1] }}", "{{ range }}", "{{ 'a'.upper }}"])
def test_constants_and_functions_do_not_print_themselves_either(rendered, source):
    with pytest.raises(InvalidInput):
        rendered(source)


@pytest.mark.parametrize("value", [True, 8.1])
def test_string_says_how_to_print_it(rendered, value):
    assert rendered("{{ x | string }}", x=value) == f"{value}\n"


def test_a_map_shows_its_keys_before_its_methods(rendered):
    source = "{{ m.items }} {{ m.get('copy', 'none') }} {% for k, v in n.items() %}{{ k }}{{ v }}{% endfor %}"
    assert rendered(source, m={"items": 3}, n={"a": 1}) == "3 none a1\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ nam }}", 'variable "nam" is not defined (did you mean "name"?)'),
        ("{{ site.cert }}", 'the map has no "cert" (it has: name, root)'),
        ("{{ site.tls.cert }}", 'the map has no "tls" (it has: name, root)'),
        ("{{ hosts[3] }}", "no element 3"),
        ("{% if nam %}{% endif %}", 'variable "nam" is not defined'),
        ("{% for a in nam %}{% endfor %}", 'variable "nam" is not defined'),
        ("{{ nam ~ 'x' }}", 'variable "nam" is not defined'),
        ("{{ nam | nginx_quote }}", 'variable "nam" is not defined'),
        ("{{ [site.x] | to_json }}", 'the map has no "x"'),
        ("{{ [site.x] | to_yaml }}", 'the map has no "x"'),
        ("{{ name + 1 }}", "cannot be computed"),
        ("{{ 1 // 0 }}", "cannot be computed"),
        ("{{ name | nosuch }}", "No filter named 'nosuch'"),
        ("{{ name | safe }}", "No filter named 'safe'"),
        ("{{ name is nosuch }}", "No test named 'nosuch'"),
        ("{% if %}", "no valid template"),
        ("{% include 'gone' %}", 'there is no template "gone"'),
        ("{% include '../t.j2' %}", "no path below config_templates/"),
        ("{% include '/etc/passwd' %}", "no path below config_templates/"),
        ("{% include 'a/./t.j2' %}", "no path below config_templates/"),
        ("{% extends '..' %}", "no path below config_templates/"),
        ("{% import '../../x' as x %}", "no path below config_templates/"),
        ("{% include 't.j2' %}", "include each other without end"),
        ("{{ name | mandatory }}{{ site.x | mandatory('give a cert') }}", "give a cert"),
    ],
)
def test_errors_name_the_line(rendered, source, words):
    with pytest.raises(InvalidInput) as error:
        rendered("# one\n# two\n" + source + "\n", name="n", site={"name": "n", "root": "/"}, hosts=["a"])
    assert words in error.value.message
    assert error.value.at is not None
    assert error.value.at.file == "config_templates/t.j2"
    assert error.value.at.line == 3


def test_the_innermost_template_is_named(bundle):
    bundle.write("macros.j2", "\n{% macro size(value) %}\n\n{{ value | nginx_size }}\n{% endmacro %}\n")
    bundle.write("part.j2", "{% import 'macros.j2' as m %}\n{{ m.size('1.5g') }}\n")
    bundle.write("t.j2", "{% include 'part.j2' %}\n")
    with pytest.raises(InvalidInput, match="is no size") as error:
        bundle.open().render("t.j2")
    assert error.value.at == Location("config_templates/macros.j2", 4)


def test_imported_macros_see_the_variables(bundle):
    bundle.write("macros.j2", "{% macro root() %}{{ folder }}{% endmacro %}")
    bundle.write("t.j2", "{% from 'macros.j2' import root %}\n{{ root() }}\n")
    assert bundle.open(folder="/srv").render("t.j2") == "/srv\n"


def test_more_names_are_seen_everywhere_but_in_imports(bundle):
    bundle.write("part.j2", "{{ item }}")
    bundle.write("base.j2", "{% block a %}{% endblock %}{% include 'part.j2' %}")
    bundle.write("t.j2", "{% extends 'base.j2' %}{% block a %}{{ item }}{% endblock %}")
    templates = bundle.open()
    assert [templates.render("t.j2", {"item": name}) for name in ("x", "y")] == ["xx\n", "yy\n"]


def test_templates_cannot_change_variables(rendered):
    with pytest.raises(InvalidInput, match="sandbox"):
        rendered("{{ hosts.append('b') }}", hosts=["a"])


def test_bytes_that_are_no_text(bundle):
    path = bundle.folder / "config_templates"
    path.mkdir()
    (path / "t.j2").write_bytes(b"a\nb \xff\n")
    with pytest.raises(InvalidInput, match="not UTF-8") as error:
        bundle.open().render("t.j2")
    assert error.value.at == Location("config_templates/t.j2", 2)


@pytest.mark.parametrize("name", ["link.j2", "folder/t.j2"])
def test_symbolic_links_are_not_followed(bundle, name):
    outside = bundle.folder / "outside"
    outside.mkdir()
    (outside / "t.j2").write_text("secret")
    (bundle.folder / "config_templates").mkdir()
    (bundle.folder / "config_templates" / "link.j2").symlink_to(outside / "t.j2")
    (bundle.folder / "config_templates" / "folder").symlink_to(outside)
    with pytest.raises(InvalidInput, match="symbolic link"):
        bundle.open().render(name)


def test_a_folder_is_no_template(bundle):
    bundle.write("folder/t.j2", "")
    with pytest.raises(InvalidInput, match="is a folder"):
        bundle.open().render("folder")


def test_texts_and_expressions(bundle):
    templates = bundle.open(port=80, names=["a"])
    at = Location("deploykit.yml", 7)
    assert templates.text("http://x:{{ port }}/", at=at) == "http://x:80/"
    assert templates.text("{{ item }}", {"item": "x"}) == "x"
    assert templates.value("names") == ["a"]
    assert templates.value("port == 80 and item", {"item": True}) is True
    for broken in ("port ==", "port; 1", "nosuch", "names.x", "port }} {{ port"):
        with pytest.raises(InvalidInput) as error:
            templates.value(broken, at=at)
        assert error.value.at == at


def test_every_template_is_compiled_once(bundle):
    bundle.write("t.j2", "{{ item }}")
    templates = bundle.open()
    assert templates.render("t.j2", {"item": 1}) == "1\n"
    bundle.write("t.j2", "changed")
    assert templates.render("t.j2", {"item": 2}) == "2\n"


@pytest.mark.parametrize("error", [DeadlineExceeded("late"), Interrupted("SIGTERM")])
def test_what_stops_the_run_is_not_taken_for_a_template_error(rendered, error):
    def stop() -> str:
        raise error

    with pytest.raises(type(error)) as stopped:
        rendered("{{ stop() }}", stop=stop)
    assert stopped.value is error
    assert error.at is None
