"""Certificates and keys that nginx is to load: there, fitting, valid, and for the right name."""

from __future__ import annotations

from typing import Iterator, Optional, Tuple

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Server
from deploykit.rules.nginx_certificates import Certificate, certificate, covers, public_key
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_tls_examples import CERTIFICATE, FOREIGN_KEY, KEY, OVER, VALID, a_tls_server
from deploykit.rules.rule import Example, Found, Subject, finding, rule

SOON = 14  # days: whoever renews in time has done it by then
_DAY = 86400


@rule(
    "nginx-cert-missing",
    "error",
    bad=Example(nginx=a_tls_server(), around={"exists": lambda path: False}),
    good=Example(nginx=a_tls_server(), around={"exists": lambda path: True}),
)
def cert_missing(subject: Subject) -> Found:
    """A certificate or key that does not exist, or does not hold one.

    nginx does not start. Correct the path, or make the file before the deployment: a certificate that a client fetches later
    needs a placeholder at first. Only judged where the files are known.
    """
    exists = subject.around.exists
    for directive, path in _files(layout(subject), "ssl_certificate", "ssl_certificate_key"):
        if exists and exists(path) is False:
            yield finding("nginx-cert-missing", f"{path} does not exist", directive.at, "correct the path, or make the file")
            continue
        pem = _read(subject, path)
        if pem is not None and (certificate(pem) if directive.name == "ssl_certificate" else public_key(pem)) is None:
            what = "certificate" if directive.name == "ssl_certificate" else "private key"
            yield finding("nginx-cert-missing", f"{path} holds no {what} that can be read", directive.at, "put one in")


@rule(
    "nginx-cert-key",
    "error",
    bad=Example(nginx=a_tls_server(), around={"exists": lambda path: True, "read": {**CERTIFICATE, **FOREIGN_KEY}.get}),
    good=Example(nginx=a_tls_server(), around={"exists": lambda path: True, "read": {**CERTIFICATE, **KEY}.get}),
)
def cert_key(subject: Subject) -> Found:
    """The key belongs to another certificate.

    nginx does not start. After a renewal both files must be replaced together. Only judged where both can be read.
    """
    for server in _tls_servers(layout(subject)):
        pairs = zip(server.effective("ssl_certificate"), server.effective("ssl_certificate_key"))
        for written, key in pairs:
            found = _certificate(subject, written)
            pem = _read(subject, _path(key, subject))
            public = public_key(pem) if pem is not None else None
            if found and public and public != found.key:
                message = f"{key.args[0]} is not the key of {written.args[0]}"
                yield finding("nginx-cert-key", message, key.at, "replace both files together")


@rule(
    "nginx-cert-expired",
    "error",
    bad=Example(nginx=a_tls_server(), around={"exists": lambda path: True, "read": {**CERTIFICATE, **KEY}.get, "today": OVER}),
    good=Example(
        nginx=a_tls_server(), around={"exists": lambda path: True, "read": {**CERTIFICATE, **KEY}.get, "today": VALID}
    ),
)
def cert_expired(subject: Subject) -> Found:
    """A certificate that has run out; a warning when it does so within 14 days.

    nginx starts, and every client that verifies refuses. Renew it, and find out why that did not happen by itself. Only judged
    where the file can be read.
    """
    today = subject.around.today
    for directive, _ in _files(layout(subject), "ssl_certificate") if today is not None else ():
        found = _certificate(subject, directive)
        left = int((found.until - (today or 0)) // _DAY) if found else SOON
        if left < 0:
            message = f"the certificate {directive.args[0]} has run out {-left} day{'s' if left < -1 else ''} ago"
            yield finding("nginx-cert-expired", message, directive.at, "renew it")
        elif left < SOON:
            message = f"the certificate {directive.args[0]} runs out within {left + 1} day{'s' if left else ''}"
            yield finding("nginx-cert-expired", message, directive.at, "renew it", "warning")


@rule(
    "nginx-cert-name",
    "warning",
    bad=Example(
        nginx=a_tls_server("other.example.net"), around={"exists": lambda path: True, "read": {**CERTIFICATE, **KEY}.get}
    ),
    good=Example(nginx=a_tls_server(), around={"exists": lambda path: True, "read": {**CERTIFICATE, **KEY}.get}),
)
def cert_name(subject: Subject) -> Found:
    """No name in the certificate covers a server's name.

    Clients that verify refuse the site under that name. Take a certificate for it, or move the name to the server whose
    certificate has it. Only judged where the file can be read.
    """
    for server in _tls_servers(layout(subject)):
        found = [_certificate(subject, directive) for directive in server.effective("ssl_certificate")]
        known = [one for one in found if one]
        names = tuple(name for one in known for name in one.names)
        for directive in server.own("server_name") if known and len(known) == len(found) else ():
            lost = [name for name in directive.args if _plain(name) and not covers(names, name.lower().lstrip("."))]
            if lost:
                message = f"the certificate is for {', '.join(names) or 'no name'}, not for {', '.join(lost)}"
                yield finding("nginx-cert-name", message, directive.at, "take a certificate that has these names")


def _plain(name: str) -> bool:
    return "." in name.strip(".") and not name.startswith("~") and not name.endswith("*") and "$" not in name


def _tls_servers(view: Layout) -> Iterator[Server]:
    return (server for server in view.servers if server.tls)


def _files(view: Layout, *names: str) -> Iterator[Tuple[Directive, str]]:
    """Each certificate or key that is read from a file when nginx starts, once, with its path."""
    folder = view.config.root.file.rpartition("/")[0]
    for directive, parents in view.every(*names):
        path = directive.args[0] if directive.args else ""
        special = "$" in path or path.startswith(("data:", "engine:", "store:")) or path in ("", "None")
        if not special and parents[-1].name in ("http", "server"):
            yield directive, path if path.startswith("/") else f"{folder}/{path}"


def _path(directive: Directive, subject: Subject) -> str:
    path = directive.args[0] if directive.args else ""
    return path if path.startswith("/") else f"{layout(subject).config.root.file.rpartition('/')[0]}/{path}"


def _certificate(subject: Subject, directive: Directive) -> Optional[Certificate]:
    pem = _read(subject, _path(directive, subject))
    return certificate(pem) if pem else None


def _read(subject: Subject, path: str) -> Optional[bytes]:
    return subject.around.read(path) if subject.around.read and "$" not in path else None
