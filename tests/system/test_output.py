"""What is printed can be read by every reader, holds no secret, and goes on when a reader or the disk gives up."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.system.output import LONGEST_LINE, Output, to_people

TOP = Path(__file__).parents[2]
KEY = "-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----"
anything = st.text(st.characters())  # control characters and lone surrogates too


def said(*texts: str, hide: tuple[str, ...] = ()) -> str:
    stream = io.StringIO()
    output = Output(stream, colour=False)
    output.hide(hide)
    for text in texts:
        output.say(text)
    return stream.getvalue()


@given(anything)
def test_every_line_is_short_valid_and_without_control_characters(text: str) -> None:
    printed = said(text)
    printed.encode("utf-8")
    assert printed.endswith("\n")
    for line in printed[:-1].split("\n"):
        assert len(line) <= LONGEST_LINE
        assert line.isprintable()
    assert printed.count("\n") == text.count("\n") + 1


def test_long_lines_are_cut_visibly() -> None:
    (line,) = said("x" * 5000).splitlines()
    assert (len(line), line[-6:]) == (LONGEST_LINE, " [...]")
    assert said("x" * LONGEST_LINE) == "x" * LONGEST_LINE + "\n"


def test_what_cannot_be_shown_is_marked() -> None:
    assert said("\x1b[31mred\x07\ttab caf\u00e9 \udce9") == "?[31mred? tab caf\u00e9 ?\n"


@pytest.mark.parametrize(
    "text", ["the key is abcdefgh", KEY, f"+{KEY}".replace("\n", "\n+"), f"    {KEY}".replace("\n", "\n    ")]
)
def test_no_line_of_a_secret_is_shown_however_it_is_indented(text: str) -> None:
    printed = said(text, hide=(KEY, *KEY.splitlines()))
    assert "***" in printed
    assert not any(line in printed for line in KEY.splitlines())


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    assert said("super-secret and secret", hide=("secret", "super-secret")) == "*** and ***\n"


def test_what_is_too_short_to_be_a_secret_does_not_spoil_everything() -> None:
    assert said("a web server", hide=("we", "", "b s")) == "a web server\n"


def test_a_secret_is_hidden_before_a_line_is_cut() -> None:
    (line,) = said("x" * (LONGEST_LINE - 10) + "hidden-secret", hide=("hidden-secret",)).splitlines()
    assert "hidden" not in line


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret", ['with "quotes" in it', "back\\slash", "caf\u00e9-caf\u00e9", KEY, "null", "true", "text", "{}[]"]
)
def test_a_document_is_json_without_secrets(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(io.StringIO(), colour=False)
    output.hide((secret,))
    output.document({"text": f"a {secret} b", "list": [secret, None, True, 7], "map": {"deep": (secret,)}})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": "a *** b", "list": ["***", None, True, 7], "map": {"deep": ["***"]}}
    assert json.dumps(secret)[1:-1] not in printed.replace('"text"', "").replace("null", "").replace("true", "")


# --- readers ----------------------------------------------------------------------------------------------------------


def test_a_reader_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from deploykit.system.output import to_people\n"
        "output = to_people(sys.stdout, {})\n"
        "output.keep_log(sys.argv[2])\n"
        "sys.stdin.read()\n"
        "for n in range(3): output.say(f'line {n}')\n"
        "output.document({'done': True}); output.close()\n"
    )
    argv = [sys.executable, "-c", script, str(TOP), str(tmp_path / "log")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(b"", timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert (tmp_path / "log").read_text() == "line 0\nline 1\nline 2\n"


def test_a_reader_that_knows_no_utf_8_is_told_all_the_same() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    output = Output(stream, colour=False)
    output.say("caf\u00e9")
    output.say("and more")
    assert raw.getvalue() == b"caf\\xe9\nand more\n"


def on_a_terminal(environment: dict[str, str]) -> str:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        output = to_people(stream, environment)
        output.progress("rendering")
        output.say("done", "green")
        shown = os.read(master, 1000).decode()
    os.close(master)
    return shown


def test_colour_and_progress_are_for_terminals() -> None:
    shown = on_a_terminal({"TERM": "xterm"})
    assert "\x1b[32mdone\x1b[0m" in shown
    assert "rendering ..." in shown
    assert "\x1b" not in said("done", "green")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(environment: dict[str, str]) -> None:
    assert "\x1b[32m" not in on_a_terminal(environment)


def test_progress_is_not_printed_elsewhere() -> None:
    stream = io.StringIO()
    Output(stream, colour=False).progress("rendering")
    assert stream.getvalue() == ""


# --- the log ----------------------------------------------------------------------------------------------------------


def opened(stream: IO[str], path: str) -> Output:
    output = Output(stream, colour=False)
    output.say("before")
    output.hide(("canary",))
    output.keep_log(path)
    return output


def test_the_log_holds_all_that_was_said_and_more_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "log/deploykit/run.log"
    output = opened(io.StringIO(), str(path))
    output.say("said canary")
    output.detail("detail canary\ntwo")
    output.close()
    output.close()
    assert path.read_text() == "before\nsaid ***\ndetail ***\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert output.log_path == str(path)


def test_a_log_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("theirs")
    (tmp_path / "link").symlink_to("victim")
    for path in (tmp_path / "victim/below", tmp_path / "link"):
        stream = io.StringIO()
        output = opened(stream, str(path))
        output.say("goes on")
        assert "no log file" in stream.getvalue()
        assert stream.getvalue().endswith("goes on\n")
        assert output.log_path == ""
    assert (tmp_path / "victim").read_text() == "theirs"


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
def test_a_full_disk_ends_the_log_and_not_the_run() -> None:
    stream = io.StringIO()
    output = opened(stream, "/dev/full")
    output.say("goes on")
    output.detail("and on")
    output.close()
    assert stream.getvalue().count("the log ends here") == 1
    assert stream.getvalue().endswith("goes on\n")
