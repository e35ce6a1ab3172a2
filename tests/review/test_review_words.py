"""Headlines, counts, and characters that can be seen."""

from __future__ import annotations

from typing import Optional, Sequence

import pytest

from deploykit.review import words
from deploykit.review.inline import parts
from deploykit.review.model import EnvironmentChange, FileChange, Review, Row
from deploykit.review.visible import shortened, visible


def environment(name: str, *services: str, grace: Optional[int] = 10, problem: str = "") -> EnvironmentChange:
    files = tuple(FileChange("replace", f"/{number}", service, "") for number, service in enumerate(services))
    return EnvironmentChange(name, files, grace=grace, problem=problem)


@pytest.mark.parametrize(
    ("services", "grace", "said"),
    [
        (["nginx", "php-fpm", "nginx"], 10, "3 files, nginx reload, php-fpm reload, no downtime"),
        (["nginx"], 0, "1 file, nginx reload, no downtime"),
        (["php-fpm"], 0, "1 file, php-fpm reload, which cuts requests in progress (process_control_timeout is 0)"),
        (["php-fpm"], None, "1 file, php-fpm reload"),
        ([], 10, "no change"),
    ],
)
def test_headlines(services: Sequence[str], grace: Optional[int], said: str) -> None:
    assert words.headline(environment("staging", *services, grace=grace)) == said


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        ([environment("a"), environment("b")], "no change in 2 environments"),
        ([environment("a", "nginx")], "1 file, nginx reload, no downtime"),
        ([environment("a", "nginx"), environment("b")], "1 file in 1 of 2 environments, nginx reload, no downtime"),
        (
            [environment("a", "nginx"), environment("b", "php-fpm", grace=0)],
            "2 files in 2 of 2 environments, nginx reload, php-fpm reload, "
            "which cuts requests in progress (process_control_timeout is 0)",
        ),
        (
            [environment("a", "nginx"), environment("b", "php-fpm", grace=None)],
            "2 files in 2 of 2 environments, nginx reload, php-fpm reload",
        ),
        ([environment("a", problem="x")], "1 environment cannot be compared"),
        (
            [environment("a", "nginx"), environment("b", problem="x")],
            "1 file in 1 of 2 environments, nginx reload, no downtime; 1 environment cannot be compared",
        ),
    ],
)
def test_totals(environments: Sequence[EnvironmentChange], said: str) -> None:
    assert words.total(Review("x", tuple(environments))) == said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext é ☃", "plain\ttext é ☃"),
        ("a\rb\nc\0d\x1be", "a<CR>b<LF>c<NUL>d<ESC>e"),
        ("access\u202egnp.\u2066", "access<U+202E>gnp.<U+2066>"),
        ("no\u00a0break\u200b\ufeff\ud800", "no<U+00A0>break<U+200B><U+FEFF><U+D800>"),
    ],
)
def test_every_character_can_be_seen(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_long_texts_are_shortened_in_the_open() -> None:
    assert shortened("a" * 30, 20) == "a" * 14 + " [...]"
    assert shortened("a" * 20, 20) == "a" * 20


def test_the_part_of_a_line_that_differs() -> None:
    rows = [
        Row("-", 1, 0, "size 16m;"),
        Row("-", 2, 0, "other"),
        Row("+", 0, 1, "size 64m;"),
        Row("+", 0, 2, "xyz"),
        Row(" ", 3, 3, ""),
    ]
    assert parts(rows) == {0: (5, 7), 2: (5, 7)}
    assert parts([Row("-", 1, 0, "abc"), Row("+", 0, 1, "abc")]) == {}
    assert parts([Row("-", 1, 0, "aa"), Row("+", 0, 1, "aaa")]) == {1: (2, 3)}
