from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.parsers.nginx_lexer import Lexer, unescaped


def cut(text: str) -> list[tuple[list[str], str, int]]:
    return [([word.text for word in s.words], s.end, s.line) for s in Lexer(text).statements()]


def faults(text: str) -> list[tuple[str, int, int]]:
    lexer = Lexer(text)
    list(lexer.statements())
    return [(fault.message, fault.line, fault.column) for fault in lexer.faults]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b;", ["a", "b"]),
        ("a  'b c' \"d\";", ["a", "b c", "d"]),
        ("a ${x}y;", ["a", "${x}y"]),
        ("a x$;", ["a", "x$"]),
        ("a b'c'd;", ["a", "b'c'd"]),
        ("a b}c;", ["a", "b}c"]),
        ("a b#c;", ["a", "b#c"]),
        (r"a \;b\ c;", ["a", r"\;b\ c"]),
        (r"a ^\.php$;", ["a", r"^\.php$"]),
        (r'a "x\"y\\z\n\d";', ["a", 'x"y\\z\n\\d']),
        ("a '';", ["a", ""]),
        ('a ("b");', ["a", '("b")']),
        ('a ( "b");', ["a", "(", "b", ")"]),
        ("a\r\n\tb;", ["a", "b"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert cut(text)[0][0] == words
    assert faults(text) == []


def test_statements_end_where_they_end() -> None:
    text = "a;\nb {\n  c\n   d;\n}\n"
    assert cut(text) == [(["a"], ";", 1), (["b"], "{", 2), (["c", "d"], ";", 4), ([], "}", 5), ([], "", 6)]


def test_words_tell_where_they_begin() -> None:
    statement = next(Lexer('\n  a "b\nc"\n  d;').statements())
    assert [(word.text, word.line, word.column) for word in statement.words] == [("a", 2, 3), ("b\nc", 2, 5), ("d", 4, 3)]


def test_comments_are_kept_by_line() -> None:
    lexer = Lexer("# first\na b; # second ; {\nc # third\n d;")
    assert len(list(lexer.statements())) == 3
    assert lexer.comments == {1: "first", 2: "second ; {", 3: "third"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('a "b"c;', ("unexpected 'c' behind a closing quote", 1, 6)),
        ('a\n "b;', ("the quote is not closed", 2, 2)),
        ("a {\n b c\n}", ("unexpected '}' behind 'b'", 2, 5)),
        ("a b", ("the file ends within a statement", 1, 3)),
    ],
)
def test_faults_have_a_place(text: str, fault: tuple[str, int, int]) -> None:
    assert faults(text)[0] == fault


def test_a_lua_block_is_stepped_over() -> None:
    text = "content_by_lua_block {\n if a { '}' } -- }\n [[ } ]]\n}\nb;"
    assert cut(text) == [(["content_by_lua_block"], "{", 1), ([], "}", 4), (["b"], ";", 5), ([], "", 5)]


@given(st.text())
def test_a_value_in_double_quotes_comes_back(value: str) -> None:
    written = value.replace("\\", "\\\\").replace('"', '\\"')
    assert cut(f'a "{written}";')[0][0] == ["a", value]


PIECES = ["a", '"', "'", "\\", "$", "{", "}", ";", " ", "\n", "#", "${x}", "\\n", "("]


@given(st.lists(st.sampled_from(PIECES)))
def test_anything_is_cut_to_its_end(pieces: list[str]) -> None:
    text = "".join(pieces)
    lexer = Lexer(text)
    statements = list(lexer.statements())
    assert statements[-1].end == ""
    assert all(1 <= fault.line <= text.count("\n") + 1 for fault in lexer.faults)


def test_unescaping() -> None:
    assert unescaped(r"\t\\t\'\x") == "\t\\t'\\x"
