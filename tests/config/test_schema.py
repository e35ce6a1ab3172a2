from __future__ import annotations

import pytest

from deploykit.config.document import Config, Environment, FileEntry, Layer
from deploykit.config.schema import keys, read_document
from deploykit.config.source import read_yaml
from deploykit.errors import InvalidInput, Location
from deploykit.model import Probe, StepSpec


def read(text: str) -> Config:
    return read_document(read_yaml(text, "deploykit.yml"))


def problems(text: str):
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return [caught.value, *caught.value.more]


def at(line: int, column: int) -> Location:
    return Location("deploykit.yml", line, column)


def test_a_document_becomes_typed_data():
    config = read(
        "version: 1\n"
        "application: shop\n"
        'services: {php-fpm: {version: "8.2", root: /etc/php//8.2/fpm/}}\n'
        "writable: [/srv/shop]\n"
        "secrets: [key, sites.*.password]\n"
        "variables: {port: 80}\n"
        "environments:\n  live: {groups: ['live-*'], file: env/live.yml, variables: {port: 8080}}\n"
        "groups: {live-1: {variables: {port: 81}}}\n"
        "instance: /etc/shop.yml\n"
        "files:\n  nginx/a.conf: {mode: '0640', owner: root, group: www-data, when: port == 80}\n"
        "events: {AfterInstall: [run: [true]]}\n"
    )
    assert (config.application.text, config.instance, config.writable) == ("shop", "/etc/shop.yml", ("/srv/shop",))
    assert config.services == {"php-fpm": {"version": "8.2", "root": "/etc/php/8.2/fpm"}}
    assert config.variables == Layer({"port": 80}, {"port": at(6, 13)})
    assert [secret.text for secret in config.secrets] == ["key", "sites.*.password"]
    live = config.environments["live"]
    assert (live.groups, live.file.text, live.variables.values) == (("live-*",), "env/live.yml", {"port": 8080})
    assert config.groups["live-1"].values == {"port": 81}
    assert config.files == {"nginx/a.conf": FileEntry("", 0o640, "root", "www-data", "port == 80", at=at(12, 3))}
    assert config.events == {"AfterInstall": (StepSpec("run", [True], at(13, 25)),)}


def test_probes_have_defaults_and_durations():
    config = read(
        "probes:\n"
        "  - http: {url: 'http://127.0.0.1:{{ port }}/', expect: [200, 204], timeout: 500ms, within: 2m}\n"
        "  - http: {url: 'http://unix:/run/x.sock:/h', expect: 301, timeout: 2, within: 1.5}\n"
        "  - fastcgi: {address: 'unix:/run/x.sock', path: /ping, body: pong}\n"
    )
    one, two, three = config.probes
    assert one == Probe("http", "http://127.0.0.1:{{ port }}/", expect=(200, 204), timeout=0.5, within=120.0, at=at(2, 5))
    assert (two.expect, two.timeout, two.within) == ((301,), 2.0, 1.5)
    assert three == Probe("fastcgi", address="unix:/run/x.sock", path="/ping", body="pong", at=at(4, 5))


def test_a_section_whose_lines_are_all_commented_out_is_empty():
    config = read("services:\n  nginx:\nvariables:\nenvironments:\n  live:\nremove:\nevents:\n  AfterInstall:\n")
    assert config.services == {"nginx": {}}
    assert config.environments == {"live": Environment()}
    assert config.events == {"AfterInstall": ()}


def test_a_step_may_stand_without_arguments():
    assert read("events:\n  AfterInstall:\n    - reload:\n").events["AfterInstall"] == (StepSpec("reload", None, at(3, 7)),)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("", (1, 1), "the file is empty", "deploykit docs"),
        ("- a", (1, 1), "expected a map, got a list", '"key: value"'),
        ("version: 2", (1, 10), "version 2 of this file", "version 1"),
        ('version: "1"', (1, 10), "expected a whole number, got the text '1'", "without quotes"),
        ("aplication: x", (1, 1), 'unknown key "aplication" (did you mean "application"?)', "known keys: application"),
        ("application: 5", (1, 14), "expected text, got the number '5'", 'in quotes: "5"'),
        ("application: on", (1, 14), "expected text, got unquoted on, which some readers take for true", 'in quotes: "on"'),
        ("application: {{ a }}", (1, 15), "a key that is no text", "put a value that begins with {{ into quotes"),
        ("application: ''", (1, 14), "expected text, got an empty text", ""),
        ("application:", (1, 13), "expected text, got nothing", 'write ""'),
        ("services: {ngnix: {}}", (1, 12), 'unknown key "ngnix" (did you mean "nginx"?)', "nginx, php-fpm"),
        ("services: {php-fpm: {version: 8.2}}", (1, 31), "expected text, got the number '8.2'", 'in quotes: "8.2"'),
        ("services: {nginx: {root: etc}}", (1, 26), "expected an absolute path", ""),
        ("services: {nginx: {root: /a/../b}}", (1, 26), "expected an absolute path", ""),
        ("writable: [/etc]", (1, 12), 'the folder "/etc" is too wide', ""),
        ("writable: /srv/x", (1, 11), "expected a list", "dash"),
        ("variables: {a-b: 1}", (1, 13), 'a template cannot use a variable named "a-b"', '"a_b"'),
        ("variables: {1: 1}", (1, 13), 'a template cannot use a variable named "1"', '"_1"'),
        ("variables: {a: 0660}", (1, 16), "expected a value, got unquoted 0660", 'write "0660"'),
        ("secrets: ['a b']", (1, 11), "expected the name of a variable", ""),
        ("environments: {a: {groups: x}}", (1, 28), "expected a list", ""),
        ("environments: {a: {file: ../x}}", (1, 26), 'the path "../x" has a part ".."', ""),
        ("environments: {'a b': {}}", (1, 16), "an environment cannot be named", ""),
        ("files: {nginx/a: {mode: 0640}}", (1, 25), "the mode 0640 is not in quotes", 'write "0640"'),
        ("files: {nginx/a: {mode: '0989'}}", (1, 25), "expected a mode", '"0640"'),
        ("files: {nginx/a: {delete: yes}}", (1, 27), "expected true or false, got unquoted yes", "true or false"),
        ("files: {nginx/a: {delete: true, mode: '0640'}}", (1, 18), "delete: true stands alone", ""),
        ("files: {nginx/a: {to: /etc/x}}", (1, 23), 'the path "/etc/x" is absolute', ""),
        ("files: {nginx/a: {to: 'nginx/{{ x }}/../y'}}", (1, 23), 'the path "nginx/{{ x }}/../y" has a part ".."', ""),
        ("files: {nginx/a: {each: s, to: nginx/b}}", (1, 19), "each: makes several files", "{{ item.name }}"),
        ("files: {nginx/a: {item: s}}", (1, 19), "item: without each:", ""),
        ("files: {ngin/a: {}}", (1, 9), 'the path "ngin/a" does not begin with nginx/ or php-fpm/ (did you mean "nginx"?)', ""),
        ("files: {nginx/a//b: {}}", (1, 9), 'the path "nginx/a//b" has an empty part', ""),
        ("files: {'nginx/{{ x }}': {}}", (1, 9), "this path is taken as it is", ""),
        ("remove: [nginx]", (1, 10), 'the path "nginx" does not begin with', ""),
        ("remove: ['nginx/{{ x }}']", (1, 10), "this path is taken as it is", ""),
        ("probes: [http: {}]", (1, 10), '"url" is missing', ""),
        ("probes: [htp: {}]", (1, 10), 'unknown key "htp" (did you mean "http"?)', ""),
        ("probes: [{http: {}, fastcgi: {}}]", (1, 10), "expected a map with one key", "indentation"),
        ("probes: [http: {url: 'ftp://x'}]", (1, 22), "expected a URL", ""),
        ("probes: [http: {url: 'http://x', expect: [99]}]", (1, 43), "expected a status from 100 to 599", ""),
        ("probes: [http: {url: 'http://x', expect: []}]", (1, 42), "expected at least one status", ""),
        ("probes: [http: {url: 'http://x', timeout: 5 s}]", (1, 43), "expected a duration above 0", "500ms"),
        ("probes: [http: {url: 'http://x', timeout: 0}]", (1, 43), "expected a duration above 0", ""),
        ("probes: [fastcgi: {address: here, path: /p}]", (1, 29), "expected auto, unix:/path/of/a.sock or host:port", ""),
        (
            "events: {After Install: []}",
            (1, 10),
            'unknown event "After Install" (did you mean "AfterInstall"?)',
            "AfterInstall",
        ),
        ("events: {AfterInstall: [reload]}", (1, 25), "expected a step", ""),
        ("events: {AfterInstall: [run: {a: 0660}]}", (1, 34), "expected a value, got unquoted 0660", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, place, message: str, hint: str):
    (problem,) = problems(text)
    assert problem.at == at(*place)
    assert problem.message.startswith(message)
    assert hint in problem.hint


def test_all_errors_of_a_document_come_at_once_and_in_order():
    text = "probes: [http: {ur: x}]\nversion: 2\nvariables: {a-b: off}\nevents: {X: []}\n"
    found = [(problem.at.line, problem.message.split(" (")[0]) for problem in problems(text)]
    assert found == [
        (1, '"url" is missing'),
        (1, 'unknown key "ur"'),
        (2, "version 2 of this file"),
        (3, 'a template cannot use a variable named "a-b"'),
        (3, "expected a value, got unquoted off, which some readers take for false"),
        (4, 'unknown event "X"'),
    ]


def test_the_value_of_a_secret_is_not_shown_wherever_it_is_set():
    text = "secrets: [pin]\nvariables: {pin: 0815}\nenvironments: {a: {variables: {pin: 0816}}}\n"
    text += "groups: {b: {variables: {pin: [0817]}}}\n"
    shown = [f"{problem} {problem.hint}" for problem in problems(text)]
    assert len(shown) == 3
    assert not any(f"081{n}" in line for line in shown for n in (5, 6, 7))


def test_the_schema_knows_its_keys():
    assert {"version", "services.php-fpm.socket", "files.*.each", "probes.fastcgi.within", "environments.*.file"} <= set(keys())
