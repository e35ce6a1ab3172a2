"""TLS: protocols and ciphers, and servers that have a certificate or TLS without the other."""

from __future__ import annotations

import re
from typing import Dict, Iterator, Set

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Server
from deploykit.rules.nginx_examples import a_block, a_http
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_tls_examples import a_tls_server
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_OLD = ("sslv2", "sslv3", "tlsv1", "tlsv1.1")
_WEAK = re.compile(r"(?:\A|[-+_])(?:RC4|RC2|NULL|eNULL|aNULL|ADH|AECDH|EXP\w*|LOW|MD5|DES|3DES|CBC3|DES3)(?:\Z|[-+_])")


@rule(
    "nginx-ssl-without-cert",
    "error",
    bad=Example(nginx=a_http(*a_block("server", "listen 443 ssl;", "return 204;"))),
    good=Example(nginx=a_tls_server()),
)
def ssl_without_cert(subject: Subject) -> Found:
    """A server that is to speak TLS, and no certificate.

    nginx does not start when that is the default server of its address. Other servers of the address may do without: they show
    the default server's. Add ssl_certificate and ssl_certificate_key, or ``ssl_reject_handshake on`` to a server that refuses.
    """
    view = layout(subject)
    said: Set[str] = set()
    first: Dict[str, Server] = {}
    for server in view.servers:
        for listen in server.listens:
            if listen.default or listen.address not in first:
                first[listen.address] = server
    for server in view.servers:
        bare = not server.effective("ssl_certificate") and server.value("ssl_reject_handshake") != "on" and view.whole(server)
        for listen in server.listens if bare else ():
            if listen.tls and first[listen.address] is server and str(listen.directive.at) not in said:
                said.add(str(listen.directive.at))
                message = f"{listen.address} speaks TLS and there is no ssl_certificate"
                hint = "add ssl_certificate and ssl_certificate_key"
                yield finding("nginx-ssl-without-cert", message, listen.directive.at, hint)


@rule(
    "nginx-cert-without-ssl",
    "error",
    bad=Example(nginx=a_tls_server(listen="listen 443;")),
    good=Example(nginx=a_tls_server()),
)
def cert_without_ssl(subject: Subject) -> Found:
    """A server with a certificate of its own, none of whose ``listen`` says ssl or quic.

    It speaks plain HTTP on that port: browsers say "wrong version number". Write ``listen 443 ssl;``. On port 80 the
    certificate does nothing, good or bad: that is only mentioned.
    """
    for server in layout(subject).servers:
        written = server.own("ssl_certificate")
        if written and not server.tls:
            listen = next((one for one in server.listens if one.port != "80"), server.listens[0])
            severity = "info" if listen.port == "80" else "error"
            message = f"there is a certificate, and {listen.address} speaks plain HTTP"
            yield finding("nginx-cert-without-ssl", message, listen.directive.at, "write: listen ... ssl;", severity)


@rule(
    "nginx-weak-tls",
    "warning",
    bad=Example(nginx=a_tls_server(listen="listen 443 ssl; ssl_protocols TLSv1 TLSv1.1 TLSv1.2;")),
    good=Example(nginx=a_tls_server(listen="listen 443 ssl; ssl_protocols TLSv1.2 TLSv1.3;")),
)
def weak_tls(subject: Subject) -> Found:
    """Protocols below TLS 1.2, or ciphers that are broken (RC4, DES, MD5, export, without encryption).

    When no protocol from 1.2 on is left, present clients get no handshake at all: an error. Write
    ``ssl_protocols TLSv1.2 TLSv1.3;``. What stands in http counts only where a server that speaks TLS inherits it.
    """
    view = layout(subject)
    for directive in _in_use(view, "ssl_protocols"):
        old = [word for word in directive.args if word.lower() in _OLD]
        if old:
            none_left = not any(word.lower() in ("tlsv1.2", "tlsv1.3") for word in directive.args)
            message = f"{', '.join(old)} {'is' if len(old) == 1 else 'are'} broken"
            hint = "write: ssl_protocols TLSv1.2 TLSv1.3;"
            yield finding("nginx-weak-tls", message, directive.at, hint, "error" if none_left else "warning")
    for directive in _in_use(view, "ssl_ciphers"):
        weak = [word for word in re.split(r"[:, ]", directive.args[0] if directive.args else "") if _is_weak(word)]
        if weak:
            yield finding("nginx-weak-tls", f"weak ciphers: {', '.join(weak[:4])}", directive.at, "leave them out")


def _in_use(view: Layout, name: str) -> Iterator[Directive]:
    """The directives of this name, without those in http that no TLS server inherits."""
    inherited = {id(directive) for server in view.servers if server.tls for directive in server.effective(name)}
    for directive, parents in view.every(name):
        if parents[-1].name != "http" or id(directive) in inherited:
            yield directive


def _is_weak(word: str) -> bool:
    return not word.startswith(("!", "-", "@")) and bool(_WEAK.search(word))
