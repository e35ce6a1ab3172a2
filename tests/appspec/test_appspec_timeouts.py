"""How many seconds a hook has: the cheap way must say what the full reading says, or nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploykit.appspec.quick import quick_timeout
from deploykit.appspec.reader import judge
from deploykit.appspec.timeouts import timeout_in, timeout_of

ORDINARY = b"""\
# What the agent does.
version: 0.0
os: linux

files:
  - source: app
    destination: /srv/app   # the application
hooks:
  BeforeInstall:
    - location: hooks/before_install
      timeout: 120 # seconds
  AfterInstall:

    - location: "hooks/after_install"
      runas: root
      timeout: 300
    # and then
    - timeout: 30
      location: ./hooks/warm_up
    - location: hooks/report
permissions:
  - object: /srv/app
    mode: "0644"
    type:
      - file
"""


@pytest.mark.parametrize(
    ("event", "script", "seconds"),
    [
        ("BeforeInstall", "hooks/before_install", 120),
        ("AfterInstall", "hooks/after_install", 300),
        ("AfterInstall", "/hooks/after_install", 300),
        ("AfterInstall", "hooks/warm_up", 30),
        ("AfterInstall", "hooks/report", 3600),
        ("AfterInstall", "hooks/before_install", 0),
        ("ApplicationStop", "hooks/after_install", 0),
        ("AfterInstall", "", 30),
        ("BeforeInstall", "", 120),
        ("ApplicationStop", "", 0),
    ],
)
def test_an_ordinary_file(event: str, script: str, seconds: int) -> None:
    assert quick_timeout(ORDINARY, event, script) == seconds
    assert timeout_of(judge(ORDINARY).appspec, event, script) == seconds
    assert timeout_in(ORDINARY, event, script) == seconds


HEAD = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n"


@pytest.mark.parametrize(
    ("document", "seconds"),
    [
        (HEAD + "    - location: a\n      timeout: 010\n", 8),
        (HEAD + "    - location: a\n      timeout: '60'\n", 60),
        (HEAD + "    - location: a\n      timeout: 2:15\n", 8100),
        (HEAD + "    - {location: a, timeout: 60}\n", 60),
        (HEAD + "    - location: a\n      timeout: 60\n    - location: ./a\n      timeout: 50\n", 50),
        (HEAD + "    - location: b\n      timeout: 60\n  AfterInstall:\n    - location: a\n      timeout: 70\n", 70),
        (
            "x: |\n hooks:\n  AfterInstall:\n    - location: a\n      timeout: 5\n"
            + HEAD
            + "    - location: a\n      timeout: 6\n",
            6,
        ),
        ('x: "\nhooks:"\n' + HEAD + "    - location: a\n      timeout: 6\n", 6),
        (HEAD.replace("\n", "\r\n") + "    - location: a\r\n      timeout: 60\r\n", 60),
        (HEAD + '    - location: "\\x61"\n      timeout: 60\n', 60),
        (HEAD + "    - location: a\n      timeout: &t 60\n", 60),
        (HEAD + "    - location: a\n      <<: {timeout: 60}\n", 60),
    ],
)
def test_an_unusual_file_takes_the_long_way(document: str, seconds: int) -> None:
    assert quick_timeout(document.encode(), "AfterInstall", "a") == 0
    assert timeout_in(document.encode(), "AfterInstall", "a") == seconds


@pytest.mark.parametrize(
    "document", [b"", b"\xff", b"hooks:\n  AfterInstall:\n    - location: a\n      timeout: 0\n", b"[" * 500]
)
def test_a_file_that_no_agent_accepts(document: bytes) -> None:
    assert quick_timeout(document, "AfterInstall", "a") == 0
    assert timeout_in(document, "AfterInstall", "a") == 0


def test_no_appspec_no_timeout() -> None:
    assert timeout_of(None, "AfterInstall", "a") == 0


def test_the_cheap_way_imports_nothing_dear() -> None:
    code = (
        "import sys; before = set(sys.modules); from deploykit.appspec.quick import quick_timeout;"
        f"assert quick_timeout({ORDINARY!r}, 'AfterInstall', 'hooks/after_install') == 300;"
        "dear = {'yaml', 'dataclasses', 'json', 'difflib', 'deploykit.model'} & (set(sys.modules) - before);"
        "assert not dear, dear"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, cwd=_root())
    assert done.returncode == 0, done.stderr


def _root() -> str:
    import deploykit

    return str(deploykit.__path__[0]).rsplit("/", 1)[0]
