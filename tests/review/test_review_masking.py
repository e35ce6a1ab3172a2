"""What is secret leaves no trace in a line, and lines keep their numbers."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.review.masking import lines, without
from deploykit.secrets import former_mask

KEY = "-----BEGIN KEY-----\nabcdef\nx=\n-----END KEY-----"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("password first;\n", ["first"], ["password ***;"]),
        ("a first b first", ["first"], ["a *** b ***"]),
        ("abcdef", ["abcd", "cdef"], ["***"]),
        ("abcdabcd", ["abcd"], ["******"]),
        ("firstsecond", ["first", "firstsecond"], ["***"]),
        (f"key {KEY};\nend\n", [KEY, *KEY.split("\n")], ["key ***", "***", "***", "***;", "end"]),
        ("no newline", ["first"], ["no newline"]),
        ("", ["first"], []),
        ("\n\n", ["first"], ["", ""]),
    ],
)
def test_secrets_are_hidden(text: str, secrets: List[str], shown: List[str]) -> None:
    assert [line.text for line in lines(text, secrets)] == shown


def test_a_secret_alone_is_hidden_in_a_text_to_be_shown() -> None:
    assert without("it is first, says the message", ["first"]) == "it is ***, says the message"


def test_what_was_hidden_is_remembered() -> None:
    (line,) = lines("user first second", ["first", "second"])
    assert (line.raw, line.hidden) == ("user first second", ("first", "second"))


def test_former_secrets_are_found_by_what_stands_beside_them() -> None:
    after = "token new-one;\nport 80;\n"
    shown = lines("token old-one;\nport 80;\napi_key = other\n", ["new-one"], former_mask(after, ["new-one"]))
    assert [line.text for line in shown] == ["token ***;", "port 80;", "api_key = ***"]


@given(st.text("ab\nc"), st.lists(st.text("ab\nc", min_size=1, max_size=4), max_size=4))
def test_no_secret_is_left_and_no_line_is_lost(text: str, secrets: List[str]) -> None:
    shown = lines(text, secrets)
    assert len(shown) == len(text.split("\n")) - (text == "" or text.endswith("\n"))
    assert [line.raw for line in shown] == text.split("\n")[: len(shown)]
    for secret in secrets:
        assert secret not in "\n".join(line.text for line in shown) or secret == "\n" or not secret.strip("\n")
