"""What nginx's files name outside themselves: followed along the includes as nginx does."""

from __future__ import annotations

from typing import Dict, Tuple

import pytest

from deploykit.services.nginx_tree import fastcgi_addresses, listens, texts


def found(files: Dict[str, str], main: str = "/etc/nginx/nginx.conf") -> Tuple[str, ...]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path].encode("utf-8", "surrogateescape")

    def names(folder: str) -> Tuple[str, ...]:
        return tuple(sorted({path[len(folder) + 1 :].partition("/")[0] for path in files if path.startswith(folder + "/")}))

    return texts(main, read, names)


def addresses(text: str) -> Tuple[str, ...]:
    return fastcgi_addresses(found({"/etc/nginx/nginx.conf": text}))


def test_includes_are_followed_relative_to_the_main_file_absolute_and_by_pattern() -> None:
    files = {
        "/etc/nginx/nginx.conf": "http { include conf.d/*.conf; include /srv/*/site.conf; include 'one'; }",
        "/etc/nginx/conf.d/a.conf": "a; include conf.d/deeper.inc;",
        "/etc/nginx/conf.d/b.conf": "b;",
        "/etc/nginx/conf.d/.hidden.conf": "hidden;",
        "/etc/nginx/conf.d/deeper.inc": "deeper;",
        "/etc/nginx/one": "one;",
        "/srv/x/site.conf": "x;",
        "/srv/y/site.conf": "y;",
    }
    assert [text.partition(";")[0] for text in found(files)][1:] == ["a", "deeper", "b", "x", "y", "one"]


def test_loops_missing_files_and_comments_are_survived() -> None:
    files = {
        "/etc/nginx/nginx.conf": "include nginx.conf; include gone.conf; # include secret.conf;\n#include secret.conf;\n",
        "/etc/nginx/secret.conf": "secret;",
    }
    assert found(files) == ("include nginx.conf; include gone.conf; \n\n",)
    assert found({}) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fastcgi_pass unix:/run/a.sock;", ("unix:/run/a.sock",)),
        ('fastcgi_pass "unix:/run/a.sock";', ("unix:/run/a.sock",)),
        ("fastcgi_pass 127.0.0.1:9000;", ("127.0.0.1:9000",)),
        ("fastcgi_pass [::1]:9000;", ("[::1]:9000",)),
        ("fastcgi_pass php.internal;", ("php.internal:80",)),
        ("fastcgi_pass [::1];", ("[::1]:80",)),
        ("fastcgi_pass $backend;", ()),
        ("fastcgi_pass unix:/run/$name.sock;", ()),
        ("# fastcgi_pass unix:/run/a.sock;", ()),
        ("fastcgi_pass_header X;", ()),
        ("fastcgi_pass unix:/run/a.sock; } location /b { fastcgi_pass unix:/run/a.sock;", ("unix:/run/a.sock",)),
        (
            'upstream php { server unix:/run/a.sock weight=5; server "127.0.0.1:9001"; server 127.0.0.1:9002 down; }\n'
            "server { location / { fastcgi_pass php; } }",
            ("unix:/run/a.sock", "127.0.0.1:9001"),
        ),
        ("upstream unused { server unix:/run/a.sock; }", ()),
    ],
)
def test_fastcgi_addresses(text: str, expected: Tuple[str, ...]) -> None:
    assert addresses(text) == expected


def test_an_upstream_may_stand_in_another_file() -> None:
    files = {
        "/etc/nginx/nginx.conf": "include site.conf; include upstream.conf;",
        "/etc/nginx/site.conf": "fastcgi_pass php;",
        "/etc/nginx/upstream.conf": "upstream php{server unix:/run/a.sock;}",
    }
    assert fastcgi_addresses(found(files)) == ("unix:/run/a.sock",)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("80", (("", 80),)),
        ("80 default_server reuseport", (("", 80),)),
        ("*:8080", (("", 8080),)),
        ("0.0.0.0:80", (("", 80),)),
        ("[::]:80 ipv6only=on", (("", 80),)),
        ("127.0.0.1:81", (("127.0.0.1", 81),)),
        ('"127.0.0.1:81"', (("127.0.0.1", 81),)),
        ("[::1]:81", (("::1", 81),)),
        ("127.0.0.1", (("127.0.0.1", 80),)),
        ("[::1]", (("::1", 80),)),
        ("localhost:81", (("localhost", 81),)),
        ("unix:/run/nginx.sock", ()),
        ('"unix:/run/nginx.sock"', ()),
        ("unix:/run/nginx.sock:80", ()),
        ("$port", ()),
    ],
)
def test_listens(written: str, expected: Tuple[Tuple[str, int], ...]) -> None:
    assert listens((f"server {{ listen {written}; }}",)) == expected


def test_each_address_is_told_once() -> None:
    assert listens(("listen 80;", "listen 80 default_server; listen\t443\nssl;")) == (("", 80), ("", 443))
