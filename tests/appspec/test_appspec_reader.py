"""What ``judge`` and ``read`` give back beside verdicts: the appspec itself, places, hints, words."""

from __future__ import annotations

import pytest

from deploykit.appspec.reader import judge, read
from deploykit.errors import InvalidInput, Location

WHOLE = b"""\
version: 0.0
os: linux
files:
  - source: app
    destination: /srv/app
hooks:
  BeforeInstall:
    - location: ' hooks/a '
      timeout: 60
      runas: deploy
  AfterInstall:
    - location: hooks/b
      sudo: true
permissions:
  - object: /srv/app
    pattern: "*.php"
    except: [x]
    type: [file]
    owner: app
    group: www
    mode: "640"
    acls: ["u:app:rwx"]
    context: {name: user_u, type: t, range: s0}
file_exists_behavior: RETAIN
"""


@pytest.mark.parametrize("agent", ["v1", "v2"])
def test_the_appspec_as_an_agent_understands_it(agent: str) -> None:
    appspec = judge(WHOLE, agents=(agent,)).appspec
    assert appspec is not None
    first, second = appspec.hooks["BeforeInstall"][0], appspec.hooks["AfterInstall"][0]
    assert (first.location, first.timeout, first.runas, first.sudo, first.stated) == ("hooks/a", 60, "deploy", False, True)
    assert (second.location, second.timeout, second.runas, second.sudo, second.stated) == ("hooks/b", 3600, "", True, False)
    assert second.at == Location("appspec.yml", 12, 7)
    assert [(one.source, one.destination, str(one.at)) for one in appspec.files] == [("app", "/srv/app", "appspec.yml:4:5")]
    permission = appspec.permissions[0]
    assert (permission.object, permission.pattern, permission.excepted) == ("/srv/app", "*.php", ("x",))
    assert (permission.types, permission.owner, permission.group, permission.mode) == (("file",), "app", "www", "640")
    assert (permission.acls, permission.context) == (("u:app:rwx",), ("user_u", "t", "s0"))
    assert appspec.file_exists_behavior == "RETAIN"


def test_sudo_as_text_is_true_for_v1() -> None:
    appspec = read(b"version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: a\n      sudo: 'false'\n")
    assert appspec.hooks["AfterInstall"][0].sudo is True


def test_the_last_of_two_keys_wins() -> None:
    raw = b"version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: a\n  AfterInstall:\n    - location: b\n"
    assert [one.location for one in read(raw).hooks["AfterInstall"]] == ["b"]


def test_where_only_v2_accepts_the_appspec_is_as_v2_understands_it() -> None:
    raw = b"version: 0.0\nos: linux\nx: &t 77\nhooks:\n  AfterInstall:\n    - location: a\n      timeout: *t\n"
    report = judge(raw)
    assert report.accepted == {"v1": False, "v2": True}
    assert report.appspec is not None
    assert report.appspec.hooks["AfterInstall"][0].timeout == 77
    assert judge(raw, agents=("v1",)).appspec is None


def test_a_refusal_says_what_the_agent_does_and_where() -> None:
    report = judge(b"version: 0.0\nos: Linux\n", "bundle/appspec.yml", agents=("v1",))
    assert [(str(one.at), one.message, one.hint) for one in report.findings] == [
        (
            "bundle/appspec.yml:2:5",
            "agent v1 rejects the whole appspec: unsupported operating system (Linux)",
            "write `os: linux`",
        )
    ]
    assert report.errors == report.findings


def test_the_first_error_ends_the_reading_as_in_the_agent() -> None:
    raw = b"version: 1.0\nos: Linux\nhooks: []\n"
    assert [one.rule for one in judge(raw, agents=("v1",)).findings] == ["appspec-rejected-v1-version"]


def test_read_raises_the_first_refusal() -> None:
    with pytest.raises(InvalidInput) as caught:
        read(b"version: 0.0\n", "a/appspec.yml")
    assert "unsupported operating system ()" in caught.value.message
    assert str(caught.value.at) == "a/appspec.yml:1:1"
    assert caught.value.hint


def test_a_wrong_shape_comes_with_the_right_one_and_with_what_the_console_shows() -> None:
    (finding,) = judge(b"version: 0.0\nos: linux\nhooks:\n  AfterInstall: [a.sh]\n", agents=("v1",)).findings
    assert "hooks.AfterInstall must be a list of scripts, each a map with its location" in finding.message
    assert 'undefined method `has_key?\' for "a.sh":String' in finding.message


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("Files", "files"),
        ("hook", "hooks"),
        ("fileExistsBehavior", "file_exists_behavior"),
        ("OS ", "os"),
        ("permission", "permissions"),
    ],
)
def test_did_you_mean(key: str, meant: str) -> None:
    findings = judge(f"version: 0.0\nos: linux\n'{key}': x\n".encode()).findings
    assert f"did you mean {meant}?" in next(one for one in findings if one.rule == "appspec-unknown-key").hint


def test_an_unknown_event_comes_with_the_known_ones() -> None:
    findings = judge(b"version: 0.0\nos: linux\nhooks:\n  Before Install:\n    - location: a\n      timeout: 1\n").findings
    assert [one.rule for one in findings] == ["appspec-unknown-event"]
    assert findings[0].hint.startswith("did you mean BeforeInstall? events are BeforeBlockTraffic, ")


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("appspec.yml", False),
        ("x/appspec.yml", False),
        ("appspec.yaml", True),
        ("AppSpec.yml", True),
        ("appspec-blue.yml", False),
    ],
)
def test_the_name_of_the_file(file: str, wrong: bool) -> None:
    rules = [one.rule for one in judge(b"version: 0.0\nos: linux\n", file).findings]
    assert rules == (["appspec-file-name"] if wrong else [])
    assert judge(b"version: 0.0\nos: linux\n", file, agents=("v2",)).findings == ()


@pytest.mark.parametrize(("written", "set_by_v1"), [("0644", "0420"), ("0640", "0416"), ("0777", "0511"), ("02775", "1533")])
def test_an_unquoted_mode_says_what_is_set(written: str, set_by_v1: str) -> None:
    raw = f"version: 0.0\nos: linux\npermissions:\n  - object: /srv\n    mode: {written}\n".encode()
    messages = [one.message for one in judge(raw).findings if one.rule == "appspec-mode-unquoted"]
    assert len(messages) == 1
    assert messages[0].endswith(f"agent v1 sets {set_by_v1}")
