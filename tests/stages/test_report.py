"""What people and programs are told: plans, diffs, outcomes, and a digest that fits the agent's console."""

from __future__ import annotations

import json
from typing import Any, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.errors import DeploykitError, Failed, InvalidInput, Location, Refused, UndoFailed
from deploykit.model import Change, Finding, Found, Outcome, Plan, Request, Settings, StepSpec, Verdict
from deploykit.stages import report

SETTINGS = Settings("/b", "test", {}, {}, {}, ())
UNDONE = "undone: 12 files as before; nginx and php-fpm back on the old configuration"
LOG = "/var/log/deploykit/20261124-181002-AfterInstall.log"
anything = st.text(st.characters(), max_size=3000)


def change(action: str = "replace", before: bytes = b"a\nb\n", after: bytes = b"a\nc\n", **more: Any) -> Change:
    found = Found("/etc/x", "file", 0o644) if action != "create" else Found("/etc/x")
    return Change(action, "/etc/x", "nginx", "config_templates/nginx/x.j2", found, before, after, **{"mode": 0o644, **more})


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(Request("AfterInstall", "/b"), SETTINGS, changes, **more)


def texts(planned: Plan, secrets: Tuple[str, ...] = ()) -> list[str]:
    return [text for text, _ in report.plan_lines(planned, secrets)]


# --- the digest -------------------------------------------------------------------------------------------------------


def digest(error: DeploykitError, undone: str = UNDONE, log: str = LOG, secret: str = "no secret at all") -> str:
    lines = report.digest(error, "AfterInstall", undone, log, lambda text: text.replace(secret, "***"))
    return "\n".join(lines) + "\n"


@given(anything, anything, anything, st.none() | anything)
def test_a_digest_fits_whatever_the_message(message: str, hint: str, undone: str, place: str | None) -> None:
    at = Location(place, 7) if place is not None else None
    printed = digest(Failed(message, hint=hint, at=at), undone)
    assert len(printed.encode("utf-8")) <= report.DIGEST_BYTES
    assert printed.startswith("--- AfterInstall failed, exit status 1\ncause: ")
    assert f"log: {LOG}" in printed


def test_a_digest_says_what_where_what_was_undone_and_what_next() -> None:
    error = Refused("unknown directive", at=Location("config_templates/nginx/x.j2", 3), hint="mend it there and deploy again")
    assert digest(error).splitlines() == [
        "--- AfterInstall failed, exit status 3",
        "cause: config_templates/nginx/x.j2:3: unknown directive",
        f"state: {UNDONE}",
        "next: mend it there and deploy again",
        f"log: {LOG}",
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert digest(Failed("x"), log="").splitlines()[1:] == ["cause: x", f"state: {UNDONE}"]


def test_the_cause_has_most_room_and_its_beginning_is_kept() -> None:
    printed = digest(Failed("begin " + "x" * 5000, hint="h" * 5000), "u" * 5000)
    cause = next(line for line in printed.splitlines() if line.startswith("cause: "))
    assert cause.startswith("cause: begin x")
    assert cause.endswith(" [...]")
    assert len(cause) > 500
    assert len(printed.encode()) > report.DIGEST_BYTES - 50


def test_a_cut_never_leaves_half_of_a_secret() -> None:
    for at in range(1600):
        printed = digest(Failed("x" * at + "canary-in-a-coal-mine" + "x" * 3000), secret="canary-in-a-coal-mine")
        assert "xcan" not in printed, at


def test_further_errors_are_counted() -> None:
    error = InvalidInput("one", more=(InvalidInput("two"), InvalidInput("three")))
    assert "and 2 more, above" in digest(error)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_every_error_of_a_read_has_its_place_and_a_hint_is_not_repeated() -> None:
    more = (InvalidInput("two", at=Location("a", 2), hint="same"), InvalidInput("three", hint="other"))
    lines = [text for text, _ in report.error_lines(InvalidInput("one", at=Location("a", 1), hint="same", more=more))]
    assert lines == ["error: a:1: one", "  hint: same", "error: a:2: two", "error: three", "  hint: other"]


def test_an_error_for_programs() -> None:
    error = UndoFailed("x", at=Location("f", 3), hint="h")
    assert report.error_document(error) == {
        "error": "x",
        "status": 4,
        "at": {"file": "f", "line": 3, "column": None},
        "hint": "h",
    }
    assert report.error_document(Failed("x"))["at"] is None


# --- plans ------------------------------------------------------------------------------------------------------------


def test_a_plan_is_told_file_by_file_and_then_what_follows() -> None:
    planned = plan(
        change(),
        change("remove", b"x\n", b"", reason="its template is gone"),
        unchanged=3,
        due=("nginx",),
        owed=("nginx",),
        verdict=Verdict("parsed only", (Finding("r", "warning", "odd", Location("x.j2", 2)),), ("a note",)),
        steps=(StepSpec("run", ["a"], Location("deploykit.yml", 9)),),
        notes=("another",),
    )
    assert texts(planned) == [
        "change /etc/x",
        "    @@ -1,2 +1,2 @@",
        "     a",
        "    -b",
        "    +c",
        "remove /etc/x  (its template is gone)",
        "    @@ -1 +0,0 @@",
        "    -x",
        "warning: x.j2:2: odd [r]",
        "note: another",
        "note: a note",
        "judge: parsed only",
        "step: run (deploykit.yml:9)",
        "2 files to change, 3 as they should be, reload nginx (owed from before)",
    ]


@pytest.mark.parametrize(
    ("planned", "headline"),
    [
        (plan(unchanged=4), "0 files to change, 4 as they should be, nothing to reload"),
        (plan(change()), "1 file to change, 0 as they should be, nothing to reload"),
        (plan(start=("php-fpm", "nginx")), "0 files to change, 0 as they should be, start php-fpm, start nginx"),
        (plan(change(), change(), due=("nginx", "x")), "2 files to change, 0 as they should be, reload nginx, reload x"),
    ],
)
def test_headline(planned: Plan, headline: str) -> None:
    assert report.headline(planned) == headline


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        (change("create", b"", b"x", mode=0o640, uid=0, gid=33), "create /etc/x  0:33 0640"),
        (change("attributes", b"x", b"x", mode=0o600), "owner or mode /etc/x  0:0 0644 -> 0:0 0600"),
        (change("replace"), "change /etc/x"),
        (change("replace", uid=33), "change /etc/x  0:0 0644 -> 33:0 0644"),
    ],
)
def test_owner_and_mode_are_told_where_they_are_new(changed: Change, first: str) -> None:
    assert texts(plan(changed))[0] == first


def test_a_long_diff_is_cut_for_people_and_whole_for_programs() -> None:
    long = change("create", b"", b"x\n" * 5000)
    lines = texts(plan(long))
    assert len(lines) < 420
    assert any("more lines" in line for line in lines)
    assert len(report.plan_document(plan(long), ())["changes"][0]["diff"]) == 5001


def test_the_log_stops_telling_diffs_before_it_is_a_book() -> None:
    changes = [change("replace", b"a\n" * 100, b"b\n" * 100)] * 50
    lines = report.log_text(plan(*changes), ()).splitlines()
    assert 1000 < len(lines) < 1400
    assert sum(line == "change /etc/x" for line in lines) == 50


def test_a_file_that_is_no_text_is_shown_as_far_as_it_goes() -> None:
    assert report.diff(change("replace", b"\xff\xfe\n", b"\x00\n"), ()) == ["@@ -1 +1 @@", "-\ufffd\ufffd", "+\x00"]


def test_only_the_end_of_the_last_line_differs() -> None:
    assert report.diff(change("replace", b"a\nb", b"a\nb\n"), ()) == []
    assert report.diff(change("replace", b"a\r\n", b"a\n"), ()) == ["@@ -1 +1 @@", "-a\r", "+a"]


def test_documents_are_json() -> None:
    finding = Finding("rule", "error", "m", Location("f", 1, 2), "h")
    planned = plan(change(), verdict=Verdict("j", (finding,)), steps=(StepSpec("run", [], Location("d", 1)),))
    body = json.loads(json.dumps(report.plan_document(planned, ())))
    assert body["findings"] == [
        {"rule": "rule", "severity": "error", "file": "f", "line": 1, "column": 2, "message": "m", "hint": "h"}
    ]
    assert (body["environment"], body["steps"]) == ("test", [{"step": "run", "at": "d:1"}])
    assert report.outcome_document(Outcome("", "nothing")) == {
        "run": None,
        "changed": 0,
        "reloaded": [],
        "summary": "nothing",
        "notes": [],
    }
