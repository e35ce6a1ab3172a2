"""Files that look like secrets."""

from __future__ import annotations

from typing import List

import pytest

from deploykit.bundle import private
from deploykit.bundle.entry import made
from deploykit.bundle.ignore import Patterns

KEY = b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIID\n"


def said(path: str, content: bytes = b"x", allowed: List[str] = []) -> List[str]:  # noqa: B006
    return [str(finding) for finding in private.findings([made(path, content)], Patterns(allowed, "--allow"))]


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "app/.env.production",
        "app/.env.local.php",
        "id_rsa",
        "keys/id_ed25519",
        "tls/server.key",
        "app/oauth-private.KEY",
        "a.p12",
        "credentials",
        "app/credentials.json",
        "app/credentials.yml",
        ".aws/config",
        "home/.ssh/config",
        "app/auth.json",
        ".npmrc",
        "terraform.tfstate",
    ],
)
def test_a_telling_name_is_refused(path: str) -> None:
    (finding,) = private.findings([made(path, b"x")], Patterns([], "--allow"))
    assert (finding.rule, finding.severity, str(finding.at)) == ("bundle-secret", "error", path)
    assert f"--allow {path}" in finding.hint


@pytest.mark.parametrize("name", ["a.pem", "a.crt"])
def test_a_private_key_is_found_by_its_first_line(name: str) -> None:
    assert said(name, KEY)
    assert said(name, CERTIFICATE + KEY.replace(b"RSA ", b""))
    assert said(name, KEY.replace(b"RSA", b"OPENSSH"))
    assert not said(name, CERTIFICATE)


@pytest.mark.parametrize(
    "path", [".env.example", "app/.env.dist", "src/Credentials.php", "credentials.rb", "monkey.php", "keys.py", "environment"]
)
def test_what_only_sounds_like_it_travels(path: str) -> None:
    assert not said(path)


def test_what_is_allowed_by_name_travels() -> None:
    assert not said("app/.env", allowed=["app/.env"])
    assert not said("app/fixtures/a.key", allowed=["app/fixtures/"])
    assert said("app/.env", allowed=["other/.env"])
