"""Certificates and keys made by openssl, read by us."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from deploykit.rules.nginx_certificates import certificate, covers, public_key

OPENSSL = shutil.which("openssl")

pytestmark = pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")

KINDS = {
    "rsa": ("-newkey", "rsa:2048"),
    "curve": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
}


def run(*words: str) -> None:
    subprocess.run((str(OPENSSL), *words), check=True, capture_output=True, timeout=60)


def made(folder: Path, kind: str, *more: str) -> tuple[Path, Path]:
    """A certificate and its key."""
    pem, key = folder / f"{kind}.pem", folder / f"{kind}.key"
    files = ("-keyout", str(key), "-out", str(pem))
    run("req", "-x509", "-nodes", *KINDS[kind], *files, "-days", "100", "-subj", "/O=Ours/CN=app.example.com", *more)
    return pem, key


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_belongs_to_its_certificate(kind: str, tmp_path: Path) -> None:
    pem, key = made(tmp_path, kind)
    read = certificate(pem.read_bytes())
    assert read is not None
    assert read.names == ("app.example.com",)
    assert public_key(key.read_bytes()) == read.key


@pytest.mark.parametrize("kind", KINDS)
def test_the_older_form_of_a_key_says_the_same(kind: str, tmp_path: Path) -> None:
    pem, key = made(tmp_path, kind)
    older = tmp_path / "older.key"
    run({"rsa": "rsa", "curve": "ec"}[kind], "-in", str(key), "-out", str(older), *(("-traditional",) if kind == "rsa" else ()))
    read = certificate(pem.read_bytes())
    assert read is not None
    assert public_key(older.read_bytes()) == read.key


def test_another_key_does_not(tmp_path: Path) -> None:
    pem, _ = made(tmp_path, "rsa")
    _, key = made(tmp_path, "curve")
    read = certificate(pem.read_bytes())
    assert read is not None
    assert public_key(key.read_bytes()) not in (read.key, None, b"")


def test_alternative_names_replace_the_common_one(tmp_path: Path) -> None:
    pem, _ = made(tmp_path, "rsa", "-addext", "subjectAltName=DNS:a.example.com,DNS:*.b.example.com,IP:10.0.0.1")
    read = certificate(pem.read_bytes())
    assert read is not None
    assert read.names == ("a.example.com", "*.b.example.com")


def test_the_end_is_the_one_that_openssl_tells(tmp_path: Path) -> None:
    pem, _ = made(tmp_path, "rsa")
    read = certificate(pem.read_bytes())
    assert read is not None
    command = (str(OPENSSL), "x509", "-in", str(pem), "-noout", "-enddate", "-dateopt", "iso_8601")
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.strip()
    if told:  # older ones cannot print it like this
        from datetime import datetime

        end = datetime.fromisoformat(told.partition("=")[2].replace("Z", "+00:00"))
        assert read.until == end.timestamp()


def test_an_encrypted_key_tells_nothing(tmp_path: Path) -> None:
    _, key = made(tmp_path, "rsa")
    locked = tmp_path / "locked.key"
    run("pkcs8", "-topk8", "-in", str(key), "-out", str(locked), "-passout", "pass:secret")
    assert public_key(locked.read_bytes()) == b""


@pytest.mark.parametrize("text", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"])
def test_what_is_none_is_none(text: bytes) -> None:
    assert certificate(text) is None
    assert public_key(text) is None


def test_a_star_stands_for_one_label() -> None:
    assert covers(("*.example.com",), "app.example.com")
    assert not covers(("*.example.com",), "example.com")
    assert not covers(("*.example.com",), "a.b.example.com")
    assert covers(("app.example.com", "x"), "app.example.com")
