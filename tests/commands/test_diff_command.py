"""``deploykit diff`` on a real repository: what is compared, what is shown, what is not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from support.repository import Repository

from deploykit.cli import main

SITE, POOL = "config_templates/nginx/conf.d/site.conf.j2", "config_templates/php-fpm/pool.d/site.conf.j2"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """On a branch of its own; what a pipeline's variables say counts for nothing."""
    for name in [name for name in os.environ if name.startswith("CI") or name == "DEPLOYMENT_GROUP_NAME"]:
        monkeypatch.delenv(name)
    repository = Repository(tmp_path / "checkout")
    repository.git("checkout", "--quiet", "-b", "change")
    return repository


@pytest.fixture
def diff(repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on the repository: (exit status, stdout, stderr)."""

    def run(*words: str) -> Tuple[int, str, str]:
        status = main(["diff", "--bundle", str(repository.folder), "--root", str(tmp_path / "root"), *words])
        return (status, *capsys.readouterr())

    return run


def document(diff: Any, *words: str) -> Dict[str, Any]:
    status, out, _ = diff("--json", *words)
    assert status == 0
    found: Dict[str, Any] = json.loads(out)
    return found


def by_name(found: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    return {environment["name"]: environment for environment in found["environments"]}


def test_nothing_changed(diff: Any) -> None:
    status, out, _ = diff("--from", "main", "--detailed-exitcode")
    assert status == 0
    assert out.splitlines()[-3:] == ["", "no change: staging, production", "no change in 2 environments"]


def test_each_environment_shows_what_reaches_it(diff: Any, repository: Repository) -> None:
    repository.edit("environments/production.yml", "16", "32")
    repository.commit()
    status, out, _ = diff("--from", "main", "--detailed-exitcode")
    assert status == 2
    said = out.splitlines()
    assert said[0].endswith("(merge base of main and HEAD)")
    assert "production: 1 file, php-fpm reload, no downtime" in said
    assert "    -pm.max_children = 16" in said
    assert "    +pm.max_children = 32" in said
    assert said[-2:] == ["no change: staging", "1 file in 1 of 2 environments, php-fpm reload, no downtime"]


def test_what_is_not_committed_counts(diff: Any, repository: Repository) -> None:
    repository.edit(SITE, "=404", "/index.html")
    found = by_name(document(diff, "--from", "HEAD"))
    assert [environment["reload"] for environment in found.values()] == [["nginx"], ["nginx"]]


def test_what_others_did_meanwhile_is_not_ours(diff: Any, repository: Repository) -> None:
    repository.edit(SITE, "=404", "/index.html")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.edit(POOL, "static", "ondemand")
    repository.commit()
    repository.git("checkout", "--quiet", "change")
    files = [file["path"] for environment in document(diff, "--from", "main")["environments"] for file in environment["files"]]
    assert len(files) == 2
    assert all(path.endswith("/nginx/conf.d/site.conf") for path in files)


@pytest.mark.parametrize("words", [[], ["--from", "main"], ["--between", "staging", "production"]])
@pytest.mark.parametrize("kind", ["text", "markdown", "json", "html"])
def test_secrets_of_both_sides_are_hidden(kind: str, words: List[str], diff: Any, repository: Repository) -> None:
    repository.edit("deploykit.yml", "first-secret", "other-secret")
    repository.edit("environments/production.yml", "workers", "db_password: third-secret\nworkers")
    _, out, err = diff("--format", kind, *words)
    assert "-secret" not in out + err
    assert "DB_PASSWORD" in out
    assert "(secret changed)" in out


def test_a_secret_is_one_on_both_sides(diff: Any, repository: Repository) -> None:
    repository.edit("deploykit.yml", "db_password", "db_pass")
    repository.edit(POOL, "db_password", "db_pass")
    repository.commit()
    repository.git("branch", "--force", "main")
    repository.edit("deploykit.yml", "secrets: [db_pass]\n", "")
    repository.edit("deploykit.yml", "first-secret", "other-secret")
    _, out, _ = diff("--from", "main")
    assert "-secret" not in out
    assert "(secret changed)" in out


def test_an_unchanged_secret_is_not_said_to_change(diff: Any, repository: Repository) -> None:
    repository.edit(POOL, "static", "ondemand")
    _, out, _ = diff("--from", "main")
    assert "secret changed" not in out
    assert 'env[DB_PASSWORD] = "***"' in out


def test_two_environments_side_by_side(diff: Any) -> None:
    found = document(diff, "--between", "staging", "production")
    assert found["against"] == "environment staging"
    (production,) = found["environments"]
    assert production["name"] == "production"
    assert [line for line in production["files"][0]["diff"] if line[0] in "-+"] == [
        "-pm.max_children = 2",
        "+pm.max_children = 16",
    ]


def test_against_this_machine(diff: Any, repository: Repository, tmp_path: Path) -> None:
    assert diff("--live")[0] == 65
    live = document(diff, "--live", "--env", "staging")["environments"][0]
    assert {file["action"] for file in live["files"]} == {"create"}
    for file in live["files"]:
        path = Path(file["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line[1:] for line in file["diff"][1:]).replace("***", "who-knows") + "\n", encoding="utf-8")
    repository.edit(POOL, "static", "ondemand")
    status, out, _ = diff("--live", "--env", "staging")
    assert status == 0
    assert "-pm = static" in out
    assert "+pm = ondemand" in out
    assert "who-knows" not in out
    assert "first-secret" not in out
    assert "(secret changed)" in out
    assert "1 file" in out.splitlines()[-1]


def test_chosen_environments(diff: Any) -> None:
    assert list(by_name(document(diff, "--from", "main", "--env", "production"))) == ["production"]
    assert list(by_name(document(diff, "--from", "main", "--env", "staging", "--env", "production"))) == [
        "staging",
        "production",
    ]
    status, out, _ = diff("--from", "main", "--env", "prod")
    assert status == 65
    assert "production" in out


def test_environments_that_come_and_go(diff: Any, repository: Repository) -> None:
    repository.edit("deploykit.yml", "staging:", "testing:")
    found = by_name(document(diff, "--from", "main"))
    assert found["testing"]["notes"] == ["this environment is new"]
    assert {file["action"] for file in found["testing"]["files"]} == {"create"}
    assert found["staging"]["notes"] == ["this environment is gone"]
    assert {file["action"] for file in found["staging"]["files"]} == {"remove"}
    assert found["production"]["changed"] is False


def test_a_first_deploykit_yml(diff: Any, repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "empty")
    repository.git("rm", "--quiet", "-r", "--cached", ".")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    found = by_name(document(diff, "--from", "empty"))
    assert found["production"]["notes"] == ["deploykit.yml is new"]
    assert found["production"]["summary"].startswith("4 files, ")


@pytest.mark.parametrize(("name", "text"), [("deploykit.yml", "version: 7\n"), (SITE, "{{ nobody_set_this }}\n")])
def test_a_former_revision_that_does_not_render(name: str, text: str, diff: Any, repository: Repository) -> None:
    good = (repository.folder / name).read_text()
    repository.write(name, text)
    repository.commit()
    repository.git("branch", "--force", "main")
    repository.write(name, good)
    found = document(diff, "--from", "main")
    assert found["summary"] == "2 environments cannot be compared"
    assert found["environments"][0]["problem"].startswith(f"the former revision does not render: {name}:1")


def test_a_change_that_does_not_render_is_an_error_at_its_line(diff: Any, repository: Repository) -> None:
    repository.edit(SITE, "{{ port }}", "{{ prt }}")
    status, out, _ = diff("--from", "main")
    assert status == 65
    assert f"{SITE}:2" in out


def test_a_missing_commit(diff: Any) -> None:
    status, out, _ = diff("--from", "0123456789")
    assert status == 64
    assert 'there is no commit "0123456789" in this clone' in out
    assert 'GIT_DEPTH: "0"' in out


def test_findings_of_the_change_are_told_apart(diff: Any, repository: Repository) -> None:
    repository.edit(SITE, "    location / {", "    location /files {\n        alias /srv/files/;\n    }\n    location / {")
    _, out, _ = diff("--from", "main", "--env", "staging", "--json")
    findings = json.loads(out)["environments"][0]["findings"]
    (ours,) = [finding for finding in findings if finding["rule"] == "nginx-alias-traversal"]
    assert (ours["new"], ours["file"], ours["line"], ours["rendered_line"]) == (True, SITE, 5, 5)
    assert not [finding for finding in findings if finding["new"] and finding["rule"] != "nginx-alias-traversal"]


def test_files_that_are_to_go_and_modes(diff: Any, repository: Repository) -> None:
    repository.edit(
        "deploykit.yml",
        "secrets:",
        'files:\n  php-fpm/pool.d/site.conf: {mode: "0600", owner: root}\nremove: [nginx/sites-enabled/default]\nsecrets:',
    )
    _, out, _ = diff("--from", "main", "--env", "staging")
    assert "owner or mode" in out
    assert "-> 0600 root:-)" in out
    assert "sites-enabled/default  (listed under remove: in deploykit.yml:" in out


def test_counts_for_the_widget(diff: Any, repository: Repository, tmp_path: Path) -> None:
    repository.edit(SITE, "=404", "/index.html")
    repository.write("config_templates/nginx/conf.d/more.conf", "# more\n")
    os.remove(repository.folder / POOL)
    status, out, err = diff("--from", "main", "--format", "terraform", "-o", str(tmp_path / "counts.json"))
    assert (status, out) == (0, "")
    assert "wrote" in err
    assert json.loads((tmp_path / "counts.json").read_text()) == {"create": 2, "update": 2, "delete": 2}


def test_a_page_is_not_broken_by_a_secret_that_looks_like_markup(diff: Any, repository: Repository) -> None:
    repository.edit("deploykit.yml", "first-secret", "class")
    repository.edit(SITE, "=404", "/index.html")
    _, out, _ = diff("--from", "main", "--format", "html")
    assert '<div class="tabs">' in out
    assert out.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "words",
    [
        ["--live", "--from", "main"],
        ["--between", "staging"],
        ["--between", "staging", "production", "--all"],
        ["--format", "pdf"],
    ],
)
def test_what_makes_no_sense_is_refused(words: List[str], diff: Any) -> None:
    assert diff(*words)[0] == 64


def test_nothing_is_changed(diff: Any, repository: Repository, tmp_path: Path) -> None:
    repository.edit(SITE, "=404", "/index.html")

    def everything() -> List[Tuple[str, int]]:
        return sorted((str(path), path.lstat().st_mtime_ns) for path in tmp_path.rglob("*"))

    before = everything()
    for words in (["--from", "main"], ["--live", "--env", "staging"], ["--between", "staging", "production"]):
        diff(*words)
    assert everything() == before


def test_two_environments_take_less_than_two_seconds(diff: Any, repository: Repository) -> None:
    repository.edit(SITE, "=404", "/index.html")
    started = time.monotonic()
    diff("--from", "main", "--format", "html")
    assert time.monotonic() - started < 2.0
