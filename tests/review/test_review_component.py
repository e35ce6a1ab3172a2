"""The GitLab component: its scripts run here as a runner would run them, and its note goes to a server that plays GitLab."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple
from xml.etree import ElementTree

import pytest
import yaml
from support.repository import Repository

TOP = Path(__file__).resolve().parent.parent.parent
SITE = "config_templates/nginx/conf.d/site.conf.j2"
MARKER = "<!-- deploykit diff -->"


def component() -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """(inputs, jobs) with the inputs' defaults filled in; deploykit is the one of this checkout."""
    text = (TOP / "templates/deploykit-review.yml").read_text(encoding="utf-8")
    head, body = text.split("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    values = {name: entry["default"] for name, entry in inputs.items()}
    values["command"] = f"{sys.executable} -m deploykit"
    filled = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: _value(values[found[1]]), body)
    return inputs, yaml.safe_load(filled)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def run(job: str, repository: Repository, **variables: str) -> Tuple[int, str]:
    """A job's script in the repository: (exit status, what it said)."""
    script = "\n".join(component()[1][job]["script"])
    environment = {
        "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(TOP), *sys.path]),
        "HOME": str(repository.top),
    }
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=repository.folder,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "checkout")
    repository.edit(SITE, "    location / {", "    location /files {\n        alias /srv/files/;\n    }\n    location / {")
    repository.commit()
    return repository


def test_libraries_are_those_of_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg", encoding="utf-8")
    wanted = set(setup["options"]["install_requires"].split())
    assert set(re.findall(r'"([^"]+)"', component()[0]["setup"]["default"][-1])) == wanted


def test_jobs_run_where_they_should() -> None:
    inputs, jobs = component()
    check, diff = jobs["deploykit check"]["rules"], jobs["deploykit diff"]["rules"]
    assert [rule["if"] for rule in diff] == ['$CI_PIPELINE_SOURCE == "merge_request_event"']
    assert [rule["if"] for rule in check] == [diff[0]["if"], "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"]
    assert check[0]["changes"] == diff[0]["changes"] == inputs["changes"]["default"]
    assert "changes" not in check[1]
    assert jobs["deploykit diff"]["variables"] == {"GIT_DEPTH": "0"}
    ours = yaml.safe_load((TOP / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    assert {"local": "templates/deploykit-review.yml"} in ours["include"]
    assert inputs["stage"]["default"] in ours["stages"]


def test_check_leaves_its_reports(repository: Repository) -> None:
    status, said = run("deploykit check", repository)
    assert status == 3, said
    reports = component()[1]["deploykit check"]["artifacts"]["reports"]
    quality = json.loads((repository.folder / reports["codequality"]).read_text())
    assert {(one["check_name"], one["location"]["path"]) for one in quality} >= {("nginx-alias-traversal", SITE)}
    assert len({one["fingerprint"] for one in quality}) == len(quality)
    suites = ElementTree.fromstring((repository.folder / reports["junit"]).read_text())
    assert [suite.get("name") for suite in suites] == ["staging", "production"]


def test_check_of_something_that_does_not_render_leaves_none(repository: Repository) -> None:
    repository.edit(SITE, "{{ port }}", "{{ prt }}")
    status, said = run("deploykit check", repository)
    assert (status, f"{SITE}:2" in said) == (65, True)
    assert not list(repository.folder.glob("*.json"))


def test_diff_leaves_its_page_and_counts(repository: Repository) -> None:
    status, said = run("deploykit diff", repository, CI_MERGE_REQUEST_DIFF_BASE_SHA=repository.first)
    assert status == 0, said
    artifacts = component()[1]["deploykit diff"]["artifacts"]
    (page,) = artifacts["paths"]
    assert "nginx-alias-traversal" in (repository.folder / page).read_text()
    counts = json.loads((repository.folder / artifacts["reports"]["terraform"]).read_text())
    assert counts == {"create": 0, "update": 2, "delete": 0}
    assert artifacts["expose_as"]
    assert not (repository.folder / "deploykit-note.md").exists()


class GitLab(HTTPServer):
    """As much of GitLab as a note needs. notes: id -> (author, body)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.notes: Dict[int, Tuple[int, str]] = {}
        self.calls: List[str] = []

    def variables(self, base: str) -> Dict[str, str]:
        return {
            "CI_API_V4_URL": f"http://127.0.0.1:{self.server_port}/api/v4",
            "CI_PROJECT_ID": "7",
            "CI_MERGE_REQUEST_IID": "12",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "DEPLOYKIT_NOTE_TOKEN": "a-token",
        }


class _Answers(BaseHTTPRequestHandler):
    server: GitLab

    def do_GET(self) -> None:
        if self.path == "/api/v4/user":
            return self._answer({"id": 1})
        page = int(self.path.rpartition("page=")[2])
        notes = sorted(self.server.notes.items())[100 * page - 100 : 100 * page]
        more = str(page + 1) if len(self.server.notes) > 100 * page else ""
        body = [{"id": number, "author": {"id": author}, "body": text} for number, (author, text) in notes]
        return self._answer(body, more)

    def do_POST(self) -> None:
        self._written(max(self.server.notes, default=0) + 1)

    def do_PUT(self) -> None:
        self._written(int(self.path.rpartition("/")[2]))

    def _written(self, number: int) -> None:
        assert self.path.startswith("/api/v4/projects/7/merge_requests/12/notes")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.server.calls.append(self.command)
        self.server.notes[number] = (1, body)
        self._answer({"id": number})

    def _answer(self, body: Any, more: str = "") -> None:
        self.send_response(200 if self.headers["PRIVATE-TOKEN"] == "a-token" else 401)
        self.send_header("X-Next-Page", more)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_one_note_is_kept_up_to_date(repository: Repository, gitlab: GitLab) -> None:
    gitlab.notes = dict.fromkeys(range(1, 151), (2, f"{MARKER} somebody else's"))
    assert run("deploykit diff", repository, **gitlab.variables(repository.first))[0] == 0
    repository.edit(SITE, "/srv/files/", "/srv/other/")
    assert run("deploykit diff", repository, **gitlab.variables(repository.first))[0] == 0
    assert gitlab.calls == ["POST", "PUT"]
    author, body = gitlab.notes[151]
    assert author == 1
    assert body.startswith(f"{MARKER}\n### Rendered configuration: 2 files in 2 of 2 environments, nginx reload")
    assert "+        alias /srv/other/;" in body
    assert [text for _, text in gitlab.notes.values()][:150] == [f"{MARKER} somebody else's"] * 150


def test_no_note_when_nothing_changes_unless_there_is_one(repository: Repository, gitlab: GitLab) -> None:
    head = repository.git("rev-parse", "HEAD")
    assert run("deploykit diff", repository, **gitlab.variables(head))[0] == 0
    assert gitlab.calls == []
    gitlab.notes = {4: (1, f"{MARKER}\nold")}
    assert run("deploykit diff", repository, **gitlab.variables(head))[0] == 0
    assert gitlab.notes[4][1].splitlines()[1] == "### Rendered configuration: no change in 2 environments"


def test_a_token_that_is_refused_fails_nothing(repository: Repository, gitlab: GitLab) -> None:
    variables = {**gitlab.variables(repository.first), "DEPLOYKIT_NOTE_TOKEN": "wrong"}
    status, said = run("deploykit diff", repository, **variables)
    assert status == 0
    assert "the note could not be written" in said
    assert gitlab.notes == {}
