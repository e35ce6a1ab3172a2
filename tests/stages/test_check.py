"""The candidate as it would be, and what the judge adds to the trial: ports of others, main files that would be gone."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Iterator, List

import pytest
from support.tree import Tree, TreeIn

from deploykit.errors import Location, Refused
from deploykit.model import Candidate, Finding, Found, Target, Trial, TrialProblem, TrialResult, Verdict
from deploykit.stages.check import View, check, stop_on_errors
from deploykit.system.port import Scratch
from deploykit.system.real import RealMachine
from deploykit.system.signals import Watch


@pytest.fixture
def tree() -> Iterator[Tree]:
    with TreeIn("/tmp") as made:
        yield made


def candidate(tree: Tree, *targets: Target) -> Candidate:
    found = tree.difference(targets)
    return Candidate(tree.settings, targets, found.changes, found.folders)


class Judged(RealMachine):
    """A machine whose judge says what it is told to; it keeps the trial that it was asked for."""

    def __init__(self, tree: Tree, *problems: TrialProblem, judge: str = "namespace", rehearsed: bool = True) -> None:
        super().__init__(tree.prefix, [], {}, "", Watch(60.0))
        self.result = TrialResult(judge, rehearsed, problems, notes=("said the judge",))

    def rehearse(self, trial: Trial) -> TrialResult:
        self.trial = trial
        return self.result


def located(target: Target, line: int) -> Location:
    return Location(target.template, line)


def judged(tree: Tree, machine: Scratch, *targets: Target) -> List[Finding]:
    return list(check(candidate(tree, *targets), machine, located).findings)


# --- the view ---------------------------------------------------------------------------------------------------------


def test_the_candidate_lies_over_what_is_live(tree: Tree) -> None:
    for name in ("live", "replaced", "gone"):
        Path(tree.etc, name).write_bytes(b"old")
    tree.removing("gone")
    view = View(candidate(tree, tree.target("replaced"), tree.target("made"), tree.target("new/deep/er")), tree.machine())
    assert [view.read(f"{tree.etc}/{name}") for name in ("live", "replaced", "made")] == [b"old", b"new", b"new"]
    assert [view.has(f"{tree.etc}/{name}") for name in ("live", "gone", "made", "no")] == [True, False, True, False]
    assert view.names(tree.etc) == ("live", "made", "new", "replaced")
    assert view.names(f"{tree.etc}/new") == ("deep",)
    assert view.names(f"{tree.etc}/new/deep") == ("er",)
    with pytest.raises(FileNotFoundError):
        view.read(f"{tree.etc}/gone")


def test_an_unchanged_target_is_there_too(tree: Tree) -> None:
    Path(tree.etc, "same").write_bytes(b"new")
    assert View(candidate(tree, tree.target("same")), tree.machine()).read(f"{tree.etc}/same") == b"new"


# --- the trial --------------------------------------------------------------------------------------------------------


def test_what_is_tried_is_the_difference_and_all_of_nginxs_addresses(tree: Tree) -> None:
    for name, content in {"same": b"new", "gone": b"x", "live.conf": b"fastcgi_pass unix:/run/live.sock;"}.items():
        Path(tree.etc, name).write_bytes(content)
    tree.removing("gone")
    machine = Judged(tree)
    main = tree.target("nginx.conf", f"include {tree.etc}/*.conf; fastcgi_pass 127.0.0.1:9;".encode())
    judged(tree, machine, main, tree.target("same"), tree.target("d/made", mode=0o600))
    trial = machine.trial
    assert {(os.path.basename(file.path), file.mode) for file in trial.files} == {("nginx.conf", 0o644), ("made", 0o600)}
    assert trial.removals == (f"{tree.etc}/gone",)
    assert trial.covered == (tree.etc, f"{tree.etc}/d")
    assert set(trial.addresses) == {"unix:/run/live.sock", "127.0.0.1:9"}
    assert {tree.prefix, tree.folder} <= set(trial.visible)
    assert f"{tree.prefix}/run" in trial.private
    assert trial.services == ()  # neither is installed in this tree


def test_the_judges_problems_become_findings_at_the_template(tree: Tree) -> None:
    output = f'nginx: [emerg] unknown directive "x" in {tree.etc}/nginx.conf:3\n'
    machine = Judged(tree, TrialProblem("nginx-test", "nginx", output))
    (finding,) = judged(tree, machine, tree.target("nginx.conf"))
    assert finding == Finding(
        "nginx-test", "error", 'unknown directive "x"', Location("config_templates/nginx/nginx.conf.j2", 3)
    )


@pytest.mark.parametrize(
    ("judge", "rehearsed", "name"),
    [
        ("namespace", True, "started and asked in a private namespace"),
        ("user namespace", False, "tested in a user namespace"),
        ("copy", False, "tested on a rewritten copy"),
        ("none", False, "parsed only"),
    ],
)
def test_how_far_the_judge_could_go_is_said(tree: Tree, judge: str, rehearsed: bool, name: str) -> None:
    verdict = check(candidate(tree), Judged(tree, judge=judge, rehearsed=rehearsed), located)
    assert verdict.judge.startswith(name)
    assert verdict.notes == ("said the judge",)


def test_where_nothing_is_installed_the_parsers_judge(tree: Tree) -> None:
    (finding,) = judged(tree, Judged(tree, judge="none", rehearsed=False), tree.target("nginx.conf", b"events { }\nhttp {\n"))
    assert finding.severity == "error"
    assert finding.at is not None
    assert finding.at.file == "config_templates/nginx/nginx.conf.j2"


# --- ports of others --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{port}", "127.0.0.1:{port}", "*:{port} default_server"])
def test_a_port_that_another_program_holds(tree: Tree, written: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        content = f"# listen {port};\nserver {{\n  listen {written.format(port=port)};\n}}\n".encode()
        (finding,) = judged(tree, Judged(tree), tree.target("nginx.conf", content))
    assert finding.rule == "nginx-listen-held"
    assert f"port {port} is held by" in finding.message
    assert f"(pid {os.getpid()})" in finding.message
    assert finding.at == Location("config_templates/nginx/nginx.conf.j2", 3)


def test_a_port_that_is_free_and_a_socket_of_nginxs_own_are_fine(tree: Tree) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        content = f"server {{ listen 127.0.0.1:{bound.getsockname()[1]}; listen unix:/run/nginx.sock; }}".encode()
        assert judged(tree, Judged(tree), tree.target("nginx.conf", content)) == []


def test_a_port_that_nginx_itself_holds_is_its_own(tree: Tree) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        Path(tree.services["nginx"].pid_file).write_text(str(os.getpid()))  # this process is nginx's master
        content = f"server {{ listen {taken.getsockname()[1]}; }}".encode()
        assert [finding.rule for finding in judged(tree, Judged(tree), tree.target("nginx.conf", content))] == []


# --- main files -------------------------------------------------------------------------------------------------------


def test_a_service_that_runs_keeps_its_main_file(tree: Tree) -> None:
    main = Path(tree.services["nginx"].main)
    main.write_bytes(b"")
    tree.removing("nginx.conf")
    assert judged(tree, Judged(tree)) == []
    Path(tree.services["nginx"].pid_file).write_text(str(os.getpid()))
    (finding,) = judged(tree, Judged(tree))
    assert finding.rule == "main-file-missing"
    assert f"nginx runs, and its main file {main} would be gone" in finding.message


# --- the end ----------------------------------------------------------------------------------------------------------


def test_only_errors_stop_a_deployment() -> None:
    warning = Finding("w", "warning", "odd")
    stop_on_errors(Verdict("j", (warning,)))
    first = Finding("e", "error", "wrong", Location("x.j2", 2), "do this")
    with pytest.raises(Refused, match="wrong") as refused:
        stop_on_errors(Verdict("j", (warning, first)))
    assert (refused.value.at, refused.value.hint) == (Location("x.j2", 2), "do this")
    with pytest.raises(Refused, match=r"wrong \(and 1 more\)") as refused:
        stop_on_errors(Verdict("j", (replace(first, hint=""), first)))
    assert refused.value.hint


def test_what_is_found_does_not_depend_on_when_it_was_looked_at() -> None:
    assert Found("/x", "file", ctime_ns=1).same_as(Found("/x", "file", ctime_ns=2))
