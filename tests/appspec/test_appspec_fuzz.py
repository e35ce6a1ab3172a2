"""Whatever the bytes: findings, never an exception, and never a wrong timeout by the cheap way."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_appspec_documents import ALL
from test_appspec_timeouts import ORDINARY

from deploykit.appspec.catalogue import RULES
from deploykit.appspec.quick import quick_timeout
from deploykit.appspec.reader import Report, judge
from deploykit.appspec.timeouts import timeout_in, timeout_of

DOCUMENTS = [case.document for case in ALL] + [ORDINARY]
PIECES = [
    b"\t",
    b"\r\n",
    b"- ",
    b": ",
    b"? ",
    b"{",
    b"[",
    b"]",
    b"}",
    b"&a ",
    b"*a",
    b"!!str ",
    b"!x ",
    b"|\n",
    b">\n",
    b"'",
    b'"',
    b"#",
]
PIECES += [
    b"---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"<<: ",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
    b"0",
    b"99999999999",
    b"2030-01-02",
    b"\\",
    b"~",
]
PIECES += [
    b"hooks:\n",
    b"  AfterInstall:\n",
    b"    - location: a\n",
    b"      timeout: 5\n",
    b"\xe2\x80\xa8",
    b"\xc2\x85",
    b"\n  ",
    b"\n",
]
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def look(raw: bytes) -> Report:
    report = judge(raw)
    for one in report.findings:
        assert RULES[one.rule].severity == one.severity
        assert one.message.isprintable(), one
        assert one.hint.isprintable(), one
        assert len(one.message) + len(one.hint) < 900, one
        assert one.at is not None
    refused = {agent: any(f"-rejected-{agent}-" in one.rule for one in report.findings) for agent in ("v1", "v2")}
    too_deep = any(one.rule == "appspec-too-deep" for one in report.findings)
    assert all(report.accepted[agent] == (not refused[agent] and not too_deep) for agent in refused)
    assert (report.appspec is None) == (not any(report.accepted.values()))
    return report


def ask(raw: bytes, event: str, script: str) -> None:
    report = look(raw)
    quick = quick_timeout(raw, event, script)
    if quick and report.appspec:
        assert quick == timeout_of(report.appspec, event, script)


@given(st.binary(max_size=200))
@QUICK
def test_random_bytes(raw: bytes) -> None:
    look(raw)
    assert timeout_in(raw, "AfterInstall", "a") >= 0


@given(st.lists(st.sampled_from(PIECES), max_size=25))
@QUICK
def test_pieces_of_yaml(pieces: list[bytes]) -> None:
    ask(b"".join(pieces), "AfterInstall", "a")


@given(
    st.sampled_from(DOCUMENTS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from([b"", *PIECES])), max_size=4),
)
@QUICK
def test_changed_documents(raw: bytes, changes: list[tuple[float, int, bytes]]) -> None:
    for place, length, piece in changes:
        start = int(place * len(raw))
        raw = raw[:start] + piece + raw[start + length :]
    ask(raw, "AfterInstall", "hooks/a")


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(["copy", "drop", "in", "out", *PIECES])), max_size=3
    )
)
@QUICK
def test_changed_lines_of_an_ordinary_file(changes: list[tuple[int, int, str | bytes]]) -> None:
    lines = ORDINARY.split(b"\n")
    for one, other, what in changes:
        here, there = one % len(lines), other % len(lines)
        if what == "copy":
            lines.insert(here, lines[there])
        elif what == "drop":
            lines[here] = b""
        elif isinstance(what, bytes):
            lines[here] = lines[here][:there] + what + lines[here][there:]
        else:
            lines[here] = b"  " + lines[here] if what == "in" else lines[here][1:]
    for script in ("hooks/after_install", "hooks/warm_up", "hooks/report", ""):
        ask(b"\n".join(lines), "AfterInstall", script)


def test_numbers_of_a_thousand_digits() -> None:
    for value in (
        "9" * 10000,
        "0" * 10000,
        "0x" + "f" * 10000,
        "1:" * 2 + "9" * 5000,
        "1" * 5000 + ".5",
        "!!float " + "9" * 5000,
    ):
        raw = f"version: {value}\nos: linux\n".encode()
        look(raw)
        look(f"version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: a\n      timeout: {value}\n".encode())
        look(f"version: 0.0\nos: linux\npermissions:\n  - object: a\n    mode: {value}\n".encode())


def test_deep_nesting() -> None:
    for raw in (b"[" * 5000, b"{a: " * 5000, b"- " * 5000, b"x: " + b"[" * 199 + b"]" * 199, b"? " * 3000, b"!!x " * 3000):
        look(raw)
