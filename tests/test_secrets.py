"""Which values are secret, and that none of them is seen in a diff, a log or a document."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deploykit.model import Change, Found, Settings
from deploykit.secrets import former_mask, is_secret, secret_values
from deploykit.stages.report import diff
from deploykit.system.output import Output


def settings(variables: dict[str, Any], *named: str) -> Settings:
    return Settings("/b", "", variables, {}, {}, (), secrets=named)


@pytest.mark.parametrize(
    "path",
    [
        "db_password",
        "password",
        "PASSWORD",
        "sites.0.db_password",
        "api_key",
        "apikey",
        "auth.token",
        "client-secret",
        "my_passwd",
        "db_password_old",
        "tls.private_key",
        "smtp_credentials",
    ],
)
def test_names_that_say_so(path: str) -> None:
    assert is_secret(path, ())


@pytest.mark.parametrize("path", ["server_tokens", "user", "tokens", "passwordless", "secretary", "keys", "api", "port"])
def test_names_that_do_not(path: str) -> None:
    assert not is_secret(path, ())


@pytest.mark.parametrize("path", ["dsn", "sites.0.salt", "sites.1.salt", "vault.a", "vault.b.c"])
def test_names_that_the_user_gave(path: str) -> None:
    assert is_secret(path, ("dsn", "sites.*.salt", "vault"))
    assert not is_secret(path, ("other", "sites.*.pepper", "va"))


def test_values_are_found_wherever_they_lie() -> None:
    variables = {"a": {"password": "alpha"}, "sites": [{"token": 12345}, {"x": "public"}], "port": 80, "vault": ["v1", "v2"]}
    found = set(secret_values(settings(variables, "vault")))
    assert {"alpha", "12345", "v1", "v2"} <= found
    assert not {"public", "80"} & found


def test_what_lies_below_a_telling_name_is_secret_too() -> None:
    variables = {"credentials": {"user": "alpha", "keys": ["beta"]}, "password": {"old": "gamma"}}
    assert {"alpha", "beta", "gamma"} <= set(secret_values(settings(variables)))


@pytest.mark.parametrize("form", ['a "q\\ é', 'a \\"q\\\\ é', 'a \\"q\\\\ \\u00e9', "YSAicVwgw6k="])
def test_a_value_is_hidden_as_files_and_programs_write_it(form: str) -> None:
    assert form in secret_values(settings({"password": 'a "q\\ é'}))


def test_a_switch_is_no_secret() -> None:
    assert secret_values(settings({"password": True, "token": None})) == ()


def test_server_tokens_off_is_not_masked() -> None:
    line = "    server_tokens off;"
    assert former_mask("password = new-secret", ["new-secret"])(line) == line


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("    password = old-one;", "    password = ***"),
        ('env[DB_PASSWORD] = "old-one"', "env[DB_PASSWORD] = ***"),
        ("fastcgi_param API_TOKEN old-one;", "fastcgi_param API_TOKEN old-one;"),
        ("secret: old-one", "secret: ***"),
    ],
)
def test_a_former_secret_behind_a_telling_key(line: str, masked: str) -> None:
    assert former_mask("", [])(line) == masked


def test_a_former_secret_in_a_line_that_is_alike() -> None:
    mask = former_mask('fastcgi_param DSN "u:new-one@db";\n', ["new-one"])
    assert mask('fastcgi_param DSN "u:old-one@db";') == 'fastcgi_param DSN "u:***@db";'
    assert mask("fastcgi_param OTHER thing;") == "fastcgi_param OTHER thing;"


secrets = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=30)
parts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(secrets, parts, parts)
def test_no_secret_survives_in_what_is_said(secret: str, before: str, behind: str) -> None:
    said = io.StringIO()
    output = Output(said, colour=False)
    output.hide(secret_values(settings({"password": secret})))
    output.say(before + secret + behind)
    output.say(before + secret.replace("\\", "\\\\").replace('"', '\\"') + behind)
    assume(secret not in before + "***" + behind)  # what surrounds it may by chance be the same
    shown = said.getvalue()
    assert "***" in shown
    assert secret.strip() not in shown or len(secret.strip()) < 4 or secret.strip() in before + "\n" + behind


@given(secrets, secrets, st.sampled_from(["{}", "user = app\nkey = {}\nport = 1\n", 'env[X] = "{}"\n', "a {} b\nc {} d {}\n"]))
def test_no_former_secret_survives_in_a_diff(old: str, new: str, template: str) -> None:
    assume("\n" not in old + new)
    assume(old not in template and new not in template and old not in new)
    change = Change(
        "replace",
        "/x",
        "nginx",
        "t",
        Found("/x", "file"),
        template.replace("{}", old).encode(),
        template.replace("{}", new).encode(),
    )
    masked = "\n".join(diff(change, [new]))
    assert old not in masked.replace(new, "***")
