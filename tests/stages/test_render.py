"""The render stage: from settings and a bundle's templates to targets."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
from support.services import real_machine

from deploykit.errors import InvalidInput, Location
from deploykit.model import FileRule, Probe, Service, Settings, Target
from deploykit.stages.render import locator, render, render_probes, render_text

NGINX = Service(
    "nginx", "/etc/nginx", "/etc/nginx/nginx.conf", "/run/nginx.pid", "/var/log/nginx/error.log", "www-data", version="1.22.1"
)
PHP = Service(
    "php-fpm",
    "/etc/php-fpm",
    "/etc/php-fpm.conf",
    "/run/fpm.pid",
    "/l",
    "apache",
    run="/run/php",
    folders=(("pool.d", "fpm.d"),),
)


def at(line: int) -> Location:
    return Location("deploykit.yml", line)


class Project:
    """A bundle below ``folder``, and the settings that deploykit.yml would give for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables: Dict[str, Any] = {}
        self.rules: List[FileRule] = []
        self.facts: Dict[str, Any] = {"cores": 2, "memory_mb": 2048}
        self.origins: Dict[str, Location] = {}

    def file(self, template: str, content: str, to: str = "", **rule: Any) -> Project:
        """A template with its rule, on line 1, 2, ... of deploykit.yml."""
        path = self.folder / "config_templates" / template
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
        service, _, rest = template.partition("/")
        place = at(len(self.rules) + 1)
        self.rules.append(FileRule(template, service, to or rest.replace(".j2", ""), at=place, **rule))
        return self

    @property
    def settings(self) -> Settings:
        services = {service.name: service for service in (NGINX, PHP)}
        return Settings(
            str(self.folder), "production", self.variables, self.origins, services, tuple(self.rules), facts=self.facts
        )

    def targets(self) -> List[Target]:
        return list(render(self.settings, real_machine()))

    def outputs(self) -> Dict[str, str]:
        return {target.path: target.content.decode() for target in self.targets()}

    def problems(self) -> List[InvalidInput]:
        with pytest.raises(InvalidInput) as error:
            self.targets()
        return [error.value, *error.value.more]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_template_becomes_a_target(project):
    project.variables = {"host": "example.test"}
    project.file("nginx/conf.d/site.conf.j2", "server_name {{ host }};\n")
    assert project.targets() == [
        Target(
            "/etc/nginx/conf.d/site.conf", "nginx", "config_templates/nginx/conf.d/site.conf.j2",
            b"server_name example.test;\n", 0o644, "", "",
        )
    ]  # fmt: skip


def test_mode_owner_group_and_the_distributions_folder(project):
    project.file("php-fpm/pool.d/www.conf.j2", "x", mode=0o600, owner="root", group="adm")
    target = project.targets()[0]
    assert (target.path, target.mode, target.owner, target.group) == ("/etc/php-fpm/fpm.d/www.conf", 0o600, "root", "adm")


def test_what_templates_see(project):
    project.variables = {"port": 80}
    project.file(
        "nginx/a.j2",
        "{{ port }} {{ facts.cores }} {{ nginx.root }} {{ nginx.version }} {{ php_fpm.run }} {{ php_fpm.user }} "
        "{{ environment }} {{ nginx.installed | string }} {{ php_children() }} {{ php_children_formula() }}\n",
    )
    text = project.outputs()["/etc/nginx/a"]
    assert text.startswith("80 2 /etc/nginx 1.22.1 /run/php apache production False 22 (2048 MB")


def test_each_makes_one_file_for_each_element(project):
    project.variables = {"sites": [{"name": "shop", "port": 1}, {"port": 2}], "words": ["a"]}
    project.file("nginx/site.j2", "{{ site.port }}\n", to="sites/{{ site.port }}.conf", each="sites", item="site")
    project.file("nginx/word.j2", "{{ item }}\n", to="{{ item }}", each="words")
    assert [(target.path, target.content, target.each) for target in project.targets()] == [
        ("/etc/nginx/sites/1.conf", b"1\n", "shop"),
        ("/etc/nginx/sites/2.conf", b"2\n", "1"),
        ("/etc/nginx/a", b"a\n", "0"),
    ]


def test_when_decides_for_each_element(project):
    project.variables = {"sites": [{"n": 1, "tls": True}, {"n": 2, "tls": False}], "tls": False}
    project.file("nginx/tls.j2", "{{ site.n }}", to="{{ site.n }}", each="sites", item="site", when="site.tls")
    project.file("nginx/no.j2", "", when="tls")
    project.file("nginx/yes.j2", "", when="environment == 'production' and not tls")
    project.file("nginx/list.j2", "", when="sites")
    assert list(project.outputs()) == ["/etc/nginx/1", "/etc/nginx/yes", "/etc/nginx/list"]


def test_files_without_j2_are_copied_byte_for_byte(project):
    content = "a\r\n{ {x} }\r\nlocal t = {{1},{2}}\n# no newline"
    project.file("nginx/lua.conf", content)
    (project.folder / "config_templates/nginx/key").write_bytes(b"\xff\x00{{\n")
    project.rules.append(FileRule("nginx/key", "nginx", "key", at=at(2)))
    assert [target.content for target in project.targets()] == [content.encode(), b"\xff\x00{{\n"]


@pytest.mark.parametrize("jinja", ["{{ port }}", "{% if x %}", "{%- endif %}", "{{ a.b | c }}"])
def test_jinja_in_a_copied_file_is_no_accident(project, jinja):
    project.file("nginx/site.conf", f"a\nlisten {jinja};\n")
    problem = project.problems()[0]
    assert problem.at == Location("config_templates/nginx/site.conf", 2)
    assert "site.conf.j2" in problem.hint


def test_all_missing_variables_of_all_templates_come_at_once(project):
    project.variables = {"port": 80, "sites": [{"name": "a"}]}
    project.file("nginx/a.j2", "{{ prot }}\n{% if port == 1 %}{{ hidden }}{% endif %}\n{% include 'nginx/part' %}")
    project.file("nginx/b.j2", "{{ site.name }}{{ other | default('x') }}\n{{ port }}{{ another }}", each="sites", item="site")
    project.file("nginx/c.j2", "{{ not_asked }}", when="port == 1")
    (project.folder / "config_templates/nginx/part").write_text("\n{{ inner }}")
    assert [str(problem) for problem in project.problems()] == [
        'config_templates/nginx/a.j2:1: variable "prot" is not defined (did you mean "port"?)',
        'config_templates/nginx/a.j2:2: variable "hidden" is not defined',
        'config_templates/nginx/part:2: variable "inner" is not defined',
        'config_templates/nginx/b.j2:2: variable "another" is not defined',
    ]


def test_missing_variables_are_found_when_the_list_is_empty(project):
    project.variables = {"sites": []}
    project.file("nginx/b.j2", "{{ item.name }}{{ gone }}", each="sites")
    assert [str(problem) for problem in project.problems()] == ['config_templates/nginx/b.j2:1: variable "gone" is not defined']


def test_one_line_that_fails_for_many_elements_is_told_once(project):
    project.variables = {"sites": [{"name": "a", "size": "1.5g"}, {"name": "b", "size": "x"}, {"name": "c", "size": "1.5g"}]}
    project.file("nginx/s.j2", "{{ item.name }}\n{{ item.size | nginx_size }}", to="{{ item.name }}", each="sites")
    project.file("nginx/t.j2", "{{ sites }}")
    assert [str(problem) for problem in project.problems()] == [
        'config_templates/nginx/s.j2:2: "1.5g" is no size (for sites "a")',
        'config_templates/nginx/s.j2:2: "x" is no size (for sites "b")',
        "config_templates/nginx/t.j2:1: a list does not print itself",
    ]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"when": "gone"}, 'variable "gone" is not defined'),
        ({"when": "'no'"}, "a text, not true or false"),
        ({"when": "("}, "no valid template"),
        ({"to": "{{ gone }}"}, 'variable "gone" is not defined'),
        ({"to": "{{ port"}, "no valid template"),
        ({"to": "{{ up }}/x"}, '".."'),
        ({"to": "{{ '/etc/passwd' }}"}, "absolute"),
        ({"to": "a/{{ '' }}/b"}, "empty"),
        ({"to": "{{ 'a\nb' }}"}, "control character"),
        ({"each": "gone"}, 'variable "gone" is not defined'),
        ({"each": "port"}, "is no list"),
        ({"each": "sites", "item": "facts"}, "templates already have"),
    ],
)
def test_wrong_rules_are_told_at_their_place(project, rule, words):
    project.variables = {"port": 80, "up": "..", "sites": [1]}
    project.file("nginx/a.j2", "x", **rule)
    problem = project.problems()[0]
    assert words in problem.message
    assert problem.at == at(1)


def test_templates_that_are_not_there(project):
    project.rules = [FileRule("nginx/gone", "nginx", "gone", at=at(4)), FileRule("nginx/gone.j2", "nginx", "gone2", at=at(5))]
    assert [problem.at for problem in project.problems()] == [at(5)]
    project.rules.pop()
    assert [problem.at for problem in project.problems()] == [at(4)]


def test_two_files_with_one_path(project):
    project.variables = {"sites": [{"name": "a", "n": 1}, {"name": "b", "n": 1}]}
    project.file("nginx/x.j2", "", to="1.conf").file("nginx/y.j2", "", to="{{ item.n }}.conf", each="sites")
    assert [str(problem) for problem in project.problems()] == [
        "deploykit.yml:2: two files become /etc/nginx/1.conf: config_templates/nginx/x.j2 (deploykit.yml:1) and "
        f'config_templates/nginx/y.j2 (deploykit.yml:2, sites "{name}")'
        for name in "ab"
    ]


@pytest.mark.parametrize("name", ["facts", "nginx", "php_fpm", "environment", "php_children", "range", "loop"])
def test_reserved_names(project, name):
    project.variables, project.origins = {name: 1}, {name: at(9)}
    problem = project.problems()[0]
    assert (problem.at, name in problem.message) == (at(9), True)


def test_an_unknown_service(project):
    project.rules = [FileRule("apache/x", "apache", "x", at=at(1))]
    assert 'no service "apache"' in project.problems()[0].message


def test_text_that_utf8_cannot_write(project):
    project.variables = {"x": "\udc80"}
    project.file("nginx/a.j2", "{{ x }}")
    assert "UTF-8" in project.problems()[0].message


def test_render_text_and_probes(project):
    project.variables = {"port": 8080, "name": "example.test"}
    settings = replace(
        project.settings,
        probes=(
            Probe("http", url="http://127.0.0.1:{{ port }}/", host="{{ name }}", at=at(3)),
            Probe("fastcgi", address="unix:{{ php_fpm.run }}/s"),
        ),
    )
    assert render_text(settings, "{{ port }}", at(1)) == "8080"
    assert render_text(settings, "plain", at(1)) == "plain"
    probes = render_probes(settings)
    assert [(probe.url, probe.host, probe.address) for probe in probes] == [
        ("http://127.0.0.1:8080/", "example.test", ""),
        ("", "", "unix:/run/php/s"),
    ]
    with pytest.raises(InvalidInput) as error:
        render_text(settings, "{{ gone }}", at(3))
    assert error.value.at == at(3)


def test_lines_lead_back_to_templates(project):
    project.variables = {"sites": [{"name": "a", "n": 1}, {"name": "b", "n": 3}]}
    project.file(
        "nginx/s.j2",
        "{% for i in range(item.n) %}\nx\n{% endfor %}\n{% include 'nginx/part' %}\nend\n",
        to="{{ item.name }}",
        each="sites",
    )
    project.file("nginx/plain.conf", "a\nb\n")
    (project.folder / "config_templates/nginx/part").write_text("\npart\n")
    first, second, plain = project.targets()
    locate = locator(project.settings, real_machine())

    def lines(target: Target) -> List[str]:
        return [str(locate(target, line + 1)).rpartition("/")[2] for line in range(target.content.count(b"\n"))]

    assert lines(first) == ["s.j2:2", "s.j2:2", "part:2", "s.j2:5"]
    assert lines(second) == ["s.j2:2", "s.j2:2", "s.j2:2", "s.j2:2", "part:2", "s.j2:5"]
    assert lines(plain) == ["plain.conf:1", "plain.conf:2"]
    assert locate(second, 99) == Location("config_templates/nginx/s.j2", 5)
    assert locate(second, 0) == Location("config_templates/nginx/s.j2")


def test_two_thousand_files_are_no_burden(project):
    project.variables = {"sites": [{"name": f"s{number}", "aliases": ["a", "b"]} for number in range(1000)], "port": 80}
    project.file("nginx/nginx.conf.j2", "user {{ nginx.user }};\n")
    project.file(
        "nginx/site.j2",
        "server {\n listen {{ port }};\n server_name {{ site.name }};\n{% for a in site.aliases %}\n location /{{ a }} {\n"
        "  return 200 {{ a | nginx_quote }};\n }\n{% endfor %}\n}\n",
        to="{{ site.name }}.conf",
        each="sites",
        item="site",
    )
    project.file(
        "php-fpm/pool.d/pool.j2",
        "[{{ site.name }}]\nlisten = {{ php_fpm.run }}/{{ site.name }}.sock\nenv[N] = {{ site.name | fpm_quote(env=true) }}\n",
        to="pool.d/{{ site.name }}.conf",
        each="sites",
        item="site",
    )
    before = resource.getrusage(resource.RUSAGE_SELF)
    assert len(project.targets()) == 2001
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.0
