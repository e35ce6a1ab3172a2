"""One note of a merge request: what is in it, what cannot break out of it, and where it ends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from support.reviews import ANY, HOSTILE, review

from deploykit.review.markdown import LONGEST, note
from deploykit.review.model import EnvironmentChange, FileChange, Review, Row


def test_the_note() -> None:
    text = note(review())
    assert text.startswith(
        "<!-- deploykit diff -->\n### Rendered configuration: 4 files in 2 of 3 environments, nginx reload, "
    )
    assert "<details><summary><code>production</code>: 3 files, nginx reload, php-fpm reload, no downtime</summary>" in text
    assert "```diff\n@@ -1,4 +1,4 @@\n server {\n-    client_max_body_size 16m;\n" in text
    assert "\n+    password ***;  (secret changed)\n" in text
    assert "- new `error: config_templates/a.j2:7: wrong: client_max_body_size 64m; [nginx-a-rule]`" in text
    assert "- 2 findings as before\n" in text
    assert "No change: `same`\n" in text
    assert "Truncated" not in text


def test_nothing_changed() -> None:
    text = note(Review("abc", (EnvironmentChange("staging"), EnvironmentChange("production"))))
    assert text.splitlines()[1] == "### Rendered configuration: no change in 2 environments"
    assert "No change: `staging, production`" in text
    assert "<details>" not in text


def test_hostile_text_stays_in_code() -> None:
    text = note(review(HOSTILE, "production"))
    outside = _outside_code(text)
    for piece in ("<script", "<img", "/close", "@all", "#1", "\u202e", "\r"):
        assert piece not in outside
    assert text.count("<!-- deploykit diff -->") - text.count("~x $style ${script} <!-- deploykit diff -->") == 1
    assert not re.search(r"^/", text, re.MULTILINE), "a line that GitLab would take for a quick action"


def test_a_fence_is_longer_than_what_is_in_it() -> None:
    rows = (Row("+", 0, 1, "`````"),)
    text = note(Review("x", (EnvironmentChange("e", (FileChange("create", "/a", "nginx", "", hunks=(rows,)),)),)))
    assert "\n``````diff\n" in text
    assert "\n``````\n" in text


def _long(lines: int, files: int, environments: int) -> Review:
    rows = tuple(Row("+", 0, number, f"line {number} of many") for number in range(1, lines + 1))
    all_files = tuple(FileChange("create", f"/etc/nginx/{n}", "nginx", f"t{n}", hunks=(rows,)) for n in range(files))
    return Review("x", tuple(EnvironmentChange(f"environment-{n}", all_files) for n in range(environments)))


@pytest.mark.parametrize(
    ("lines", "files", "environments", "told"),
    [
        (9000, 1, 1, r"\*\*Truncated:\*\* \d+ lines left out here\. All of it is in the job's artifacts\."),
        (10, 800, 1, r"\*\*Truncated:\*\* \d+ lines left out here"),
        (90, 1, 200, r"\*\*Truncated:\*\* 110 environments, \d+ lines"),
        (1, 3000, 1, r"\*\*Truncated:\*\* \d+ files"),
    ],
)
def test_what_is_too_long_is_cut_and_says_so(lines: int, files: int, environments: int, told: str) -> None:
    text = note(_long(lines, files, environments))
    assert 50_000 < len(text) <= LONGEST
    assert re.search(told, text.splitlines()[-1]), text.splitlines()[-1]


def test_one_long_file_does_not_hide_the_others() -> None:
    long = _long(9000, 1, 1).environments[0]
    short = replace(_long(3, 2, 1).environments[0], name="short")
    mixed = replace(long, files=(*long.files, *short.files), name="mixed")
    text = note(Review("x", (long, mixed, short)))
    assert text.count("+line 3 of many\n") == 6
    assert text.count("<details>") == text.count("</details>") == 3


def test_the_rest_can_be_reached() -> None:
    text = note(_long(9000, 1, 1), "https://gitlab.example.com/job/1")
    assert "[All of it](https://gitlab.example.com/job/1) is in the job's artifacts." in text


@given(ANY)
@settings(max_examples=60, deadline=None)
def test_any_note_is_short_enough_and_closed(any_review: Review) -> None:
    text = note(any_review)
    assert len(text) <= LONGEST
    outside = _outside_code(text)
    assert outside.count("<details>") == outside.count("</details>") <= len(any_review.changed)
    assert not re.search(r"^/|^@", outside, re.MULTILINE)
    text.encode("utf-8")


def _outside_code(text: str) -> str:
    """The note without fenced blocks, code in a line and code in HTML: what GitLab would obey."""
    kept, fence = [], ""
    for line in text.split("\n"):
        opened = re.match("(`{3,})(diff)?$", line)
        if fence:
            fence = "" if line == fence else fence
        elif opened:
            fence = opened[1]
        else:
            kept.append(line)
    assert not fence, "a block is not closed"
    plain = re.sub(r"<code>[^<]*</code>", "", "\n".join(kept))
    return re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", plain)
