from __future__ import annotations

import re
from pathlib import Path

import pytest

import deploykit
from deploykit.commands import docs
from deploykit.config.schema import keys, read_document
from deploykit.config.source import read_yaml
from deploykit.errors import UsageError
from deploykit.model import SERVICES, Facts, Request, Service
from deploykit.stages.load import load
from deploykit.stages.resolve import resolve
from deploykit.system import files

UNCOMMENTED = re.sub(r"(?m)^( *)#(?=( {2})*(- )?[\w./-]+:)", r"\1", docs.text())


def test_the_example_is_right_as_it_stands():
    config = read_document(read_yaml(docs.text(), "deploykit.yml"))
    assert set(config.environments) == {"staging", "production"}
    assert [probe.kind for probe in config.probes] == ["http", "fastcgi"]
    assert config.variables.values["health_path"] == "/health"


def test_the_example_is_right_with_all_its_keys_and_names_every_key_of_the_schema():
    root = read_yaml(UNCOMMENTED, "deploykit.yml")
    config = read_document(root)
    assert config.files["nginx/conf.d/vhost.conf.j2"].each == "sites"
    assert config.events["AfterInstall"][0].name == "run"
    written = set(_paths(root))
    assert not [
        key for key in keys() if not any(re.fullmatch(re.escape(key).replace(r"\*", "[^ ]+"), path) for path in written)
    ]


def _paths(node, path: str = ""):
    for key, child in node.children.items():
        yield f"{path}{key}"
        yield from _paths(child, f"{path}{key}.")
    for entry in node.entries:
        yield from _paths(entry, path)


@pytest.mark.parametrize(("group", "environment"), [("webapp-staging", "staging"), ("prod-1", "production")])
def test_the_example_fits_the_templates_beside_it(group: str, environment: str):
    bundle = str(Path(deploykit.__file__).parent.parent)
    services = {name: Service(name, f"/etc/{name}", "", "", "", "www-data") for name in SERVICES}
    request = Request("AfterInstall", bundle, group=group)
    settings = resolve(load(bundle, files), Facts(services, {}), request, files)
    assert settings.environment == environment
    assert {rule.to for rule in settings.files} >= {"conf.d/webapp.conf", "pool.d/webapp.conf"}
    assert settings.secrets == ("db_password",)


def test_every_key_of_the_example_is_explained_in_a_comment():
    for section in ("version", "variables", "secrets", "groups", "instance", "remove", "probes", "events", "writable"):
        assert docs.text(section).startswith("# ")


def test_a_section_is_a_whole_block():
    assert docs.text("remove").endswith("remove:\n  - nginx/sites-enabled/default\n")
    assert docs.text("writable").endswith("#writable: [/etc/webapp]\n")
    probes = docs.text("probes")
    assert "fastcgi" in probes
    assert "events" not in probes.split("probes:")[1]
    joined = "".join(docs.text(key) for key in keys() if "." not in key)
    assert all(line in joined for line in docs.text().splitlines()[8:])


def test_an_unknown_section_offers_the_nearest():
    with pytest.raises(UsageError, match=r'^there is no section "porbes" \(did you mean "probes"\?\)$') as caught:
        docs.text("porbes")
    assert "variables" in caught.value.hint
