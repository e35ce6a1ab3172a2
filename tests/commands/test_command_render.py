"""``deploykit render``: printed without secrets, written with them for their owner alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import pytest
from support.site import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def test_everything_is_printed_and_secrets_are_not(site: Site) -> None:
    result = site.run("render", "one")
    assert result.status == 0, result.output
    assert result.stdout.count("# /") == 5
    assert 'return 200 "one"' in result.stdout
    assert 'env[DB_PASSWORD] = "***"' in result.stdout
    assert "first-secret" not in result.output


@pytest.mark.parametrize("name", ["nginx/conf.d/site.conf", "nginx/conf.d/site.conf.j2", "etc/nginx/conf.d/site.conf"])
def test_one_template_is_chosen_by_its_name_or_its_destination(site: Site, name: str) -> None:
    result = site.run("render", "one", name)
    assert result.stdout.count("# /") == 1, result.output
    assert 'return 200 "one"' in result.stdout


def test_one_that_is_not_there_is_a_mistake_and_all_are_named(site: Site) -> None:
    result = site.run("render", "one", "nginx/nothing.conf")
    assert result.status == 64
    assert "no template 'nginx/nothing.conf'" in result.output
    assert "nginx/conf.d/site.conf.j2" in result.output


def test_variables_of_the_command_line_win(site: Site) -> None:
    assert 'return 200 "typed"' in site.run("render", "one", "--var", "marker=typed").stdout


def test_a_document_holds_the_files_without_secrets(site: Site) -> None:
    body = json.loads(site.run("render --json", "one").stdout)
    assert {entry["service"] for entry in body} == {"nginx", "php-fpm"}
    assert all(entry["path"].startswith(site.root + "/etc/") for entry in body)
    assert "***" in str(body)
    assert "first-secret" not in str(body)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_files_are_written_for_their_owner_alone(site: Site, tmp_path: Path, more: tuple[str, ...]) -> None:
    result = site.run("render", "one", "-o", str(tmp_path), *more)
    assert result.status == 0
    assert "wrote 5 files" in result.output
    (pool,) = tmp_path.rglob("pool.d/site.conf")
    assert "first-secret" in pool.read_text()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.conf")} == {0o600}
    assert not more or json.loads(result.stdout)


def test_nothing_is_written_through_a_link(site: Site, tmp_path: Path) -> None:
    site.run("render", "one", "-o", str(tmp_path))
    (pool,) = tmp_path.rglob("pool.d/site.conf")
    pool.unlink()
    pool.symlink_to(tmp_path / "victim")
    assert site.run("render", "one", "-o", str(tmp_path)).status == 1
    assert not (tmp_path / "victim").exists()


def test_a_template_that_cannot_be_rendered_is_told_with_its_line(site: Site) -> None:
    site.edit("two", "config_templates/nginx/nginx.conf.j2", "{{ nginx.pid_file }}", "{{ nginx.pid_fil }}")
    result = site.run("render --json", "two")
    assert (result.status, json.loads(result.stdout)["at"]["line"]) == (65, 4)
    assert "nginx.conf.j2:4" in result.output
