"""From two sides to what differs."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.errors import Location
from deploykit.model import Finding
from deploykit.review.compare import compare, hunks
from deploykit.review.masking import lines
from deploykit.review.model import EnvironmentChange, FileChange, Placed, Rendered, Side

NGINX, FPM = "/etc/nginx/conf.d/site.conf", "/etc/php/8.2/fpm/pool.d/site.conf"


def side(*files: Tuple[str, bytes], attributes: str = "0644", **more: Any) -> Side:
    rendered = {
        path: Rendered(path, "nginx" if "nginx" in path else "php-fpm", f"config_templates{path}.j2", content, attributes)
        for path, content in files
    }
    return Side(rendered, **more)


def change(before: bytes, after: bytes, *secrets: str, known: bool = True) -> FileChange:
    (file,) = compare("staging", side((NGINX, before)), side((NGINX, after)), secrets, known).files
    return file


def test_every_kind_of_change() -> None:
    before = side((NGINX, b"a\n"), (FPM, b"b\n"), ("/etc/nginx/gone", b"c\n"), ("/etc/nginx/same", b"d\n"))
    after = side((NGINX, b"A\n"), (FPM, b"b\n"), ("/etc/nginx/new", b"e\n"), ("/etc/nginx/same", b"d\n"))
    after.files[FPM] = Rendered(FPM, "php-fpm", "", b"b\n", "0600")  # type: ignore[index]
    found = compare("staging", before, after, ())
    assert {file.path: (file.action, file.attributes) for file in found.files} == {
        NGINX: ("replace", ""),
        FPM: ("attributes", "0644 -> 0600"),
        "/etc/nginx/gone": ("remove", ""),
        "/etc/nginx/new": ("create", "0644"),
    }
    assert (found.unchanged, found.reloads, found.changed) == (1, ("nginx", "php-fpm"), True)


def test_nothing_differs() -> None:
    found = compare("staging", side((NGINX, b"a\n")), side((NGINX, b"a\n")), ())
    assert found == EnvironmentChange("staging", unchanged=1)


def test_rows_have_the_numbers_of_both_sides() -> None:
    file = change(b"1\n2\n3\n4\n5\nold\n7\n8\n9\n", b"1\n2\n3\n4\n5\nnew\nmore\n7\n8\n9\n")
    assert [(row.sign, row.old, row.new, row.text) for row in file.rows] == [
        (" ", 3, 3, "3"),
        (" ", 4, 4, "4"),
        (" ", 5, 5, "5"),
        ("-", 6, 0, "old"),
        ("+", 0, 6, "new"),
        ("+", 0, 7, "more"),
        (" ", 7, 8, "7"),
        (" ", 8, 9, "8"),
        (" ", 9, 10, "9"),
    ]
    assert (file.added, file.removed, file.secret) == (2, 1, False)


def test_a_changed_secret_is_told_and_not_shown() -> None:
    file = change(b"user app\npassword first-one;\n", b"user app\npassword other-one;\n", "first-one", "other-one")
    assert [(row.sign, row.text, row.secret) for row in file.rows] == [
        (" ", "user app", False),
        ("-", "password ***;", False),
        ("+", "password ***;", True),
    ]
    assert file.secret


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"password first-one 1;\n", b"password first-one 2;\n"),  # only what stands beside it
        (b"user app;\n", b"password first-one;\n"),  # there was none
        (b"password first-one;\n", b"user app;\n"),  # there is none any more
        (b"token first-one;\n", b"password other-one;\n"),  # another line
        (b"password first-one;\na\n", b"a\npassword first-one;\n"),  # moved
    ],
)
def test_a_secret_that_did_not_change_is_not_said_to(before: bytes, after: bytes) -> None:
    assert not change(before, after, "first-one", "other-one").secret


def test_a_secret_that_changes_together_with_its_line() -> None:
    file = change(b"password first-one 1;\n", b"password other-one 2;\n", "first-one", "other-one")
    assert file.secret


def test_former_secrets_of_the_live_side_are_not_known_and_hidden_all_the_same() -> None:
    file = change(b"a 1\npassword who-knows;\n", b"a 2\npassword other-one;\n", "other-one", known=False)
    assert [row.text for row in file.rows] == ["a 1", "password ***;", "a 2", "password ***;"]
    assert file.secret


def test_a_line_that_only_looks_secret_is_no_difference() -> None:
    file = change(b"api_token on;\na\n", b"api_token on;\nb\n", known=False)
    assert [(row.sign, row.text) for row in file.rows] == [(" ", "api_token ***"), ("-", "a"), ("+", "b")]


def test_secrets_are_hidden_wherever_they_are() -> None:
    finding = Finding("rule", "error", "bad value tell-nobody", Location("a.j2", 1), "not tell-nobody")
    before = side()
    after = side(
        ("/etc/nginx/tell-nobody", b"a\n"), findings=(Placed(finding, "/etc/nginx/tell-nobody", 1),), notes=("tell-nobody",)
    )
    found = compare("staging", before, after, ["tell-nobody"])
    assert "tell-nobody" not in repr(found)
    assert found.files[0].findings[0].finding.message == "bad value ***"
    assert "tell-nobody" not in repr(compare("staging", Side(problem="x tell-nobody"), after, ["tell-nobody"]))


@pytest.mark.parametrize(
    ("before", "after", "remark"),
    [
        (b"a", b"a\n", "only the end of the last line differs, or bytes that are no UTF-8"),
        (b"a\0", b"ab\0", "binary, 2 bytes before and 3 after"),
        (b"\xff\n", b"\xfe\n", "only the end of the last line differs, or bytes that are no UTF-8"),
    ],
)
def test_what_rows_cannot_show_is_said(before: bytes, after: bytes, remark: str) -> None:
    assert (change(before, after).remark, change(before, after).rows) == (remark, ())


def test_files_that_are_to_be_removed() -> None:
    removed = {"/etc/nginx/default": ("nginx", "listed"), NGINX: ("nginx", "listed, too")}
    found = compare("staging", side((NGINX, b"a\n")), side(removed=removed), ())
    assert [(file.action, file.path, file.remark) for file in found.files] == [
        ("remove", NGINX, "listed, too"),
        ("remove", "/etc/nginx/default", "listed"),
    ]
    assert not compare("staging", side(removed=removed), side(removed=removed), ()).changed


def test_findings_that_were_there_before_are_not_new() -> None:
    def finding(message: str, line: int) -> Placed:
        return Placed(Finding("rule", "warning", message, Location("a.j2", line)), NGINX, line)

    before = side((NGINX, b"a\n"), findings=(finding("one", 1),))
    after = side((NGINX, b"b\n"), findings=(finding("one", 7), finding("one", 9), finding("two", 1)))
    (file,) = compare("staging", before, after, ()).files
    assert [(placed.finding.message, placed.line, placed.new) for placed in file.findings] == [
        ("one", 7, False),
        ("one", 9, True),
        ("two", 1, True),
    ]


def test_a_side_that_is_not_there() -> None:
    found = compare("staging", Side(problem="it does not render"), side((NGINX, b"a\n")), ())
    assert (found.changed, found.files, found.problem) == (True, (), "it does not render")


def test_the_former_grace_counts_since_it_is_the_running_master_that_waits() -> None:
    assert compare("staging", side(grace=0), side(grace=10), ()).grace == 0
    assert compare("staging", side(), side(grace=10), ()).grace == 10


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_the_rows_lead_from_one_side_to_the_other(old: List[str], new: List[str]) -> None:
    texts: Dict[bool, str] = {False: "".join(f"{c}\n" for c in old), True: "".join(f"{c}\n" for c in new)}
    rows = [row for hunk in hunks(lines(texts[False], ()), lines(texts[True], ())) for row in hunk]
    assert all(old[row.old - 1] == row.text for row in rows if row.sign in " -")
    assert all(new[row.new - 1] == row.text for row in rows if row.sign in " +")
    removed, added = {row.old for row in rows if row.sign == "-"}, {row.new for row in rows if row.sign == "+"}
    kept = [c for number, c in enumerate(old, 1) if number not in removed]
    assert kept == [c for number, c in enumerate(new, 1) if number not in added]
