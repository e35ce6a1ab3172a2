"""docs/templates.md: every example does what the page says, and nothing that templates have is left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Tuple

import pytest

from deploykit.errors import InvalidInput
from deploykit.model import Service, Settings
from deploykit.templating import filters_fpm, filters_general, filters_ip, filters_nginx
from deploykit.templating.names import template_names
from deploykit.templating.sizing import Sizing
from deploykit.templating.templates import Templates

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]*(?:\{\{|\{%)[^`]*)` \| (refused|`[^`]*`) \|", re.MULTILINE)
NGINX = Service(
    "nginx", "/etc/nginx", "/etc/nginx/nginx.conf", "/run/nginx.pid", "/var/log/nginx/error.log", "www-data", version="1.22.1"
)
PHP = Service(
    "php-fpm", "/etc/php", "/etc/php/php-fpm.conf", "/run/php/fpm.pid", "/var/log/fpm.log", "www-data", run="/run/php"
)


def examples() -> List[Tuple[str, str]]:
    return [(source.replace(r"\|", "|"), result.strip("`")) for source, result in ROW.findall(PAGE)]


def names() -> dict[str, object]:
    facts = {"cores": 2, "memory_mb": 4096, "hostname": "web1"}
    services = {"nginx": NGINX, "php-fpm": PHP}
    return template_names(Settings("/bundle", "production", {}, {}, services, (), facts=facts))


def test_there_are_examples():
    assert len(examples()) > 40


@pytest.mark.parametrize(("source", "result"), examples())
def test_example(source, result):
    templates = Templates(names())
    if result == "refused":
        with pytest.raises(InvalidInput):
            templates.text(source)
    else:
        assert templates.text(source).rstrip("\n") == result


@pytest.mark.parametrize("module", [filters_fpm, filters_general, filters_ip, filters_nginx])
def test_every_filter_is_on_the_page(module):
    examples_text = " ".join(source for source, _ in examples())
    for name in module.FILTERS:
        assert re.search(rf"\| {name}\b", examples_text) or f"also `{name}`" in PAGE, name


def test_every_test_is_on_the_page():
    for name in filters_general.TESTS:
        assert re.search(rf" is {name}\(", PAGE) or f"also `{name}`" in PAGE, name


def test_every_name_is_on_the_page():
    known = names()
    wanted = [name for name in known if not name.startswith("php_children")] + ["php_children()", "php_children_formula()"]
    wanted += [*known["nginx"], *known["facts"], *Sizing._fields]  # type: ignore[misc]
    assert [name for name in wanted if f"`{name}`" not in PAGE] == []
