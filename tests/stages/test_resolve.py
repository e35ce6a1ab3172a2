from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.config.document import Layer
from deploykit.config.layers import merged
from deploykit.errors import InvalidInput, Location
from deploykit.model import Facts, FileRule, Request, Service, Settings
from deploykit.stages.load import load
from deploykit.stages.resolve import resolve
from deploykit.system import files

NGINX = Service("nginx", "/etc/nginx", "", "", "", "www-data", writable=("/etc/nginx", "/shared"))
FPM = Service(
    "php-fpm", "/etc", "", "", "", "apache", folders=(("pool.d", "php-fpm.d"),), writable=("/etc/php-fpm.d", "/shared")
)
FACTS = Facts({"nginx": NGINX, "php-fpm": FPM}, {"memory": 4})
TWO = "environments:\n  live: {groups: ['*-live', 'prod?']}\n  test: {groups: ['*-test', '*']}\n"


class Bundle:
    """A bundle in a folder: what is written into it, and what deploykit makes of it."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def write(self, path: str, text: str = "") -> Bundle:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        return self

    def settings(self, text: str, **request) -> Settings:
        self.write("deploykit.yml", text)
        asked = Request("AfterInstall", str(self.folder), **request)
        return resolve(load(str(self.folder), files), FACTS, asked, files)

    def problems(self, text: str, **request):
        with pytest.raises(InvalidInput) as caught:
            self.settings(text, **request)
        return [caught.value, *caught.value.more]


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    (tmp_path / "bundle").mkdir()
    return Bundle(tmp_path / "bundle")


# --- environments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "request_of", "chosen"),
    [
        (TWO, {"group": "shop-live"}, "live"),
        (TWO, {"group": "prod1"}, "live"),
        (TWO, {"group": "PROD1"}, "test"),
        (TWO, {"group": "shop-live", "environment": "test"}, "test"),
        ("environments: {live: {}}", {}, "live"),
        ("version: 1", {}, ""),
        ("version: 1", {"group": "shop-live"}, ""),
    ],
)
def test_the_environment_is_asked_for_or_follows_from_the_group(bundle: Bundle, text: str, request_of, chosen: str):
    assert bundle.settings(text, **request_of).environment == chosen


@pytest.mark.parametrize(
    ("text", "request_of", "message", "hint"),
    [
        (TWO, {}, "it is not clear which environment is meant", "--env with one of: live, test"),
        (TWO, {"environment": "lvie"}, 'there is no environment "lvie" (did you mean "live"?)', "live, test"),
        ("version: 1", {"environment": "live"}, 'there is no environment "live"', "has no environments:"),
        ("environments: {live: {groups: [a]}}", {"group": "b"}, 'the deployment group "b" belongs to no environment', "live"),
    ],
)
def test_an_environment_is_never_guessed(bundle: Bundle, text: str, request_of, message: str, hint: str):
    (problem,) = bundle.problems(text, **request_of)
    assert str(problem) == f"deploykit.yml: {message}"
    assert hint in problem.hint


# --- variables ------------------------------------------------------------------------------------------------------

LAYERED = (
    "variables: {a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, deep: {x: 1, y: {z: 1}}, list: [1, 2]}\n"
    "environments:\n  live:\n    groups: ['*']\n    file: env/live.yml\n"
    "    variables: {c: 2, d: 2, e: 2, f: 2, deep: {y: {w: 2}}}\n"
    "groups:\n  'eu-*': {variables: {d: 3, e: 3, f: 3}}\n  '*-1': {variables: {list: [9]}}\n  other: {variables: {a: 9}}\n"
    "instance: /etc/deploykit/instance.yml\n"
)


def test_the_strongest_layer_wins_and_is_named(bundle: Bundle, tmp_path):
    bundle.write("env/live.yml", "b: 1\nc: 1\nd: 1\ne: 1\nf: 1\n")
    bundle.write("../box/etc/deploykit/instance.yml", "e: 4\nf: 4\n")
    settings = bundle.settings(LAYERED, group="eu-1", prefix=str(tmp_path / "box"), variables={"f": 5})
    assert [settings.variables[name] for name in "abcdef"] == [0, 1, 2, 3, 4, 5]
    assert settings.variables["deep"] == {"x": 1, "y": {"z": 1, "w": 2}}
    assert settings.variables["list"] == [9]
    instance = f"{tmp_path}/box/etc/deploykit/instance.yml"
    places = [
        "deploykit.yml:1:13",
        "env/live.yml:1:1",
        "deploykit.yml:6:17",
        "deploykit.yml:8:24",
        f"{instance}:1:1",
        "--var f",
    ]
    assert [str(settings.origins[name]) for name in "abcdef"] == places
    assert str(settings.origins["deep"]) == "deploykit.yml:6:41"


def test_the_machine_s_own_file_may_be_missing(bundle: Bundle, tmp_path):
    assert bundle.settings("instance: /no/such.yml\nvariables: {a: 1}", prefix=str(tmp_path)).variables == {"a": 1}


def test_the_file_of_an_environment_must_be_there_and_only_the_chosen_one_is_read(bundle: Bundle):
    text = "environments: {a: {file: a.yml}, b: {file: b.yml}}"
    (problem,) = bundle.write("a.yml", "x: 1").problems(text, environment="b")
    assert str(problem) == 'deploykit.yml:1:44: there is no file "b.yml" in the bundle'
    assert bundle.settings(text, environment="a").variables == {"x": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("variables: {x: 1}", "a.yml:1:1: this file holds nothing but variables"),
        ("- x", "a.yml:1:1: expected a map, got a list"),
        ("x: off", "a.yml:1:4: expected a value, got unquoted off"),
        ("x: 1\nx: 2", 'a.yml:2:1: "x" stands twice'),
    ],
)
def test_a_variables_file_is_held_to_the_same_rules(bundle: Bundle, content: str, message: str):
    (problem,) = bundle.write("a.yml", content).problems("environments: {a: {file: a.yml}}")
    assert str(problem).startswith(message)


def test_the_application_is_a_variable(bundle: Bundle):
    assert bundle.settings("application: shop", application="deployed").variables == {"application": "shop"}
    deployed = bundle.settings("version: 1", application="deployed")
    assert (deployed.variables, str(deployed.origins["application"])) == ({"application": "deployed"}, "the deployment")
    assert bundle.settings("application: shop\nvariables: {application: x}").variables == {"application": "x"}


def test_a_misspelt_secret_is_an_error_when_all_variables_are_known(bundle: Bundle):
    text = "secrets: [pasword]\nvariables: {password: x}\n"
    (problem,) = bundle.problems(text)
    assert str(problem) == 'deploykit.yml:1:11: nothing sets the secret "pasword" (did you mean "password"?)'
    assert bundle.settings(text + "instance: /no/such.yml\n").secrets == ("pasword",)
    other = "secrets: [sites.*.key, token]\nvariables: {sites: []}\nenvironments: {a: {}, b: {variables: {token: x}}}\n"
    assert bundle.settings(other, environment="a").secrets == ("sites.*.key", "token")


TREES = st.recursive(st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8)
LAYERS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3).map(
    lambda tree: Layer(tree, dict.fromkeys(tree, Location("f")))
)


@given(LAYERS, LAYERS, LAYERS)
def test_merging_is_associative_loses_no_name_and_changes_no_layer(one: Layer, two: Layer, three: Layer):
    before = repr((one, two, three))
    values, places = merged([one, two, three])
    assert values.keys() == places.keys() == one.values.keys() | two.values.keys() | three.values.keys()
    assert merged([Layer(*merged([one, two])), three])[0] == values
    assert merged([one, one])[0] == one.values
    assert repr((one, two, three)) == before


# --- templates ------------------------------------------------------------------------------------------------------


def test_every_template_becomes_a_rule(bundle: Bundle):
    for path in ("nginx/conf.d/app.conf.j2", "nginx/nginx.conf", "php-fpm/pool.d/app.conf.j2", "nginx/.gitkeep", ".gitignore"):
        bundle.write(f"config_templates/{path}")
    text = (
        "files:\n"
        "  nginx/conf.d/app.conf: {mode: '0600', owner: root, group: adm, when: a == 1, each: sites, item: site,"
        " to: 'nginx/conf.d/{{ site.name }}.conf'}\n"
        "  php-fpm/pool.d/app.conf.j2: {to: php-fpm/pool.d/www.conf}\n"
    )
    at = Location("deploykit.yml", 2, 3)
    assert bundle.settings(text).files == (
        FileRule(
            "nginx/conf.d/app.conf.j2",
            "nginx",
            "conf.d/{{ site.name }}.conf",
            0o600,
            "root",
            "adm",
            "a == 1",
            "sites",
            "site",
            at,
        ),
        FileRule("nginx/nginx.conf", "nginx", "nginx.conf", at=Location("config_templates/nginx/nginx.conf")),
        FileRule("php-fpm/pool.d/app.conf.j2", "php-fpm", "pool.d/www.conf", at=Location("deploykit.yml", 3, 3)),
    )


def test_no_templates_are_no_error(bundle: Bundle):
    assert bundle.settings("version: 1").files == ()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("ngin/a.conf", 'config_templates/ngin: no folder of a service (did you mean "nginx"?)'),
        ("README.md", "config_templates/README.md: no folder of a service"),
        ("nginx/a.conf~", "config_templates/nginx/a.conf~: left behind by an editor or a tool"),
        ("nginx/.a.conf.swp", "config_templates/nginx/.a.conf.swp: left behind by an editor or a tool"),
        ("nginx/.DS_Store", "config_templates/nginx/.DS_Store: left behind by an editor or a tool"),
        ("nginx/a.conf.dpkg-old", "config_templates/nginx/a.conf.dpkg-old: left behind by an editor or a tool"),
        ("nginx/.j2", "config_templates/nginx/.j2: not a name for a file"),
    ],
)
def test_what_is_no_template_is_refused(bundle: Bundle, path: str, message: str):
    (problem,) = bundle.write(f"config_templates/{path}").problems("version: 1")
    assert str(problem) == message
    assert problem.hint


def test_a_link_is_no_template(bundle: Bundle):
    bundle.write("config_templates/nginx/a.conf")
    os.symlink("a.conf", bundle.folder / "config_templates/nginx/b.conf")
    (problem,) = bundle.problems("version: 1")
    assert str(problem) == "config_templates/nginx/b.conf: a symlink, not a file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "files: {nginx/aa.conf: {}}",
            'deploykit.yml:1:9: there is no template "nginx/aa.conf" (did you mean "nginx/a.conf"?)',
        ),
        (
            "files: {nginx/a.conf: {}, nginx/a.conf.j2: {}}",
            'deploykit.yml:1:9: "nginx/a.conf.j2" and "nginx/a.conf" are the same',
        ),
        ("files: {nginx/a.conf: {to: php-fpm/a.conf}}", "deploykit.yml:1:9: to: leads from nginx/a.conf.j2 to another service"),
        ("files: {nginx/a.conf: {delete: true}}", "deploykit.yml:1:9: delete: true, but there is a template nginx/a.conf.j2"),
        ("files: {nginx/c.conf: {to: nginx/a.conf}}", "deploykit.yml:1:9: nginx/a.conf.j2 and nginx/c.conf both become a.conf"),
    ],
)
def test_settings_and_templates_must_fit(bundle: Bundle, text: str, message: str):
    bundle.write("config_templates/nginx/a.conf.j2").write("config_templates/nginx/c.conf")
    (problem,) = bundle.problems(text)
    assert str(problem).startswith(message)


def test_two_templates_may_share_a_name_when_a_condition_chooses(bundle: Bundle):
    bundle.write("config_templates/nginx/a.conf.j2").write("config_templates/nginx/c.conf")
    text = "files: {nginx/c.conf: {to: nginx/a.conf, when: x}, nginx/a.conf: {when: not x}}"
    assert [rule.to for rule in bundle.settings(text).files] == ["a.conf", "a.conf"]


# --- the rest -------------------------------------------------------------------------------------------------------


def test_removals_are_live_paths(bundle: Bundle):
    settings = bundle.settings("remove: [nginx/sites-enabled/default]\nfiles: {php-fpm/pool.d/www.conf: {delete: true}}\n")
    assert settings.remove == (
        ("/etc/nginx/sites-enabled/default", "nginx", Location("deploykit.yml", 1, 10)),
        ("/etc/php-fpm.d/www.conf", "php-fpm", Location("deploykit.yml", 2, 9)),
    )


def test_writable_folders_are_the_services_and_the_listed_ones(bundle: Bundle, tmp_path):
    settings = bundle.settings("writable: [/srv/app, /etc/x/]", prefix=str(tmp_path))
    assert settings.writable == ("/etc/nginx", "/shared", "/etc/php-fpm.d", f"{tmp_path}/srv/app", f"{tmp_path}/etc/x")


def test_facts_services_probes_and_events_are_handed_on(bundle: Bundle):
    settings = bundle.settings("probes: [http: {url: 'http://x'}]\nevents: {AfterInstall: [reload: nginx]}")
    assert (settings.facts, settings.services, settings.bundle) == ({"memory": 4}, FACTS.services, str(bundle.folder))
    assert settings.probes[0].url == "http://x"
    assert settings.events["AfterInstall"][0].arguments == "nginx"
