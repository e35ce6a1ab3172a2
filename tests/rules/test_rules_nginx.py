"""Every rule on nginx and on leftovers of rendering: its two examples, and that they say what they are there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploykit.model import Finding
from deploykit.parsers import nginx, php_fpm
from deploykit.parsers.tree import Tree
from deploykit.rules import all as every_rule
from deploykit.rules.all import MODULES, judge, load
from deploykit.rules.rule import Example, Rule, Subject, Surroundings

MAIN = "/etc/nginx/nginx.conf"
POOLS = "/etc/php/8.2/fpm/php-fpm.conf"
PARAMS = "".join(
    f"fastcgi_param {name} ${value};\n"
    for name, value in {
        "QUERY_STRING": "query_string",
        "REQUEST_METHOD": "request_method",
        "CONTENT_TYPE": "content_type",
        "CONTENT_LENGTH": "content_length",
        "SCRIPT_NAME": "fastcgi_script_name",
        "REQUEST_URI": "request_uri",
    }.items()
)
OURS = [rule for rule in load().values() if rule.id.startswith(("nginx-", "render-"))]


def subject_of(example: Example) -> Subject:
    """The example as a subject, with nginx's own fastcgi_params beside it."""
    files = {"/etc/nginx/fastcgi_params": PARAMS, **example.files}
    files.update({path: text for path, text in ((MAIN, example.nginx), (POOLS, example.fpm)) if text})
    tree = Tree({path: text.encode() for path, text in files.items()})
    return Subject(
        nginx=nginx.parse(MAIN, tree.read, tree.glob) if example.nginx else None,
        fpm=php_fpm.parse(POOLS, tree.read, tree.glob, {}) if example.fpm else None,
        around=Surroundings(**example.around),
        texts=files,
    )


def serious(found: tuple[Finding, ...]) -> set[str]:
    return {finding.rule for finding in found if finding.severity != "info"}


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_the_bad_example_is_reported(rule: Rule) -> None:
    found = list(rule.find(subject_of(rule.bad)))
    assert {finding.rule for finding in found} == {rule.id}
    assert rule.severity in {finding.severity for finding in found}
    for finding in found:
        assert finding.message
        assert finding.at is not None
        assert finding.at.line > 0


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_the_bad_example_has_no_other_fault(rule: Rule) -> None:
    """Where a fault has consequences those may be named too, but each example shows one thing."""
    consequences = {"render-empty": {"nginx-syntax"}, "render-odd-character": {"nginx-unknown-directive"}}
    assert serious(judge(subject_of(rule.bad))) - {rule.id} <= consequences.get(rule.id, set())


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_the_good_example_is_silent(rule: Rule) -> None:
    assert list(rule.find(subject_of(rule.good))) == []
    assert serious(judge(subject_of(rule.good))) == set()


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_the_explanation_says_what_and_what_to_do(rule: Rule) -> None:
    first, _, rest = rule.explanation.strip().partition("\n\n")
    assert first.endswith((".", ":"))
    assert len(rest.split()) > 15


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_a_rule_says_nothing_of_nothing(rule: Rule) -> None:
    assert list(rule.find(Subject())) == []


def test_every_module_with_rules_is_loaded() -> None:
    folder = Path(str(every_rule.__file__)).parent
    written = {path.stem for path in folder.glob("*.py") if "\n@rule(" in path.read_text()}
    assert written == set(MODULES)


def test_ids_say_what_they_are_about() -> None:
    assert all(rule.id == key for key, rule in load().items())
    assert {rule.id.partition("-")[0] for rule in load().values()} == {"render", "nginx", "fpm", "pair"}
    assert {rule.severity for rule in load().values()} == {"error", "warning", "info"}
