from __future__ import annotations

from pathlib import Path

import crossplane
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploykit.parsers.nginx import (
    Directive,
    NginxConfig,
    defined_variables,
    effective,
    known,
    nearest_name,
    parse,
    variables_in,
    walk,
)
from deploykit.parsers.tree import Tree

SITE = """\
events {}
http {
    map $uri $app_kind { default plain; "~^/api/(?<rest>.*)$" api; include kinds.map; }
    add_header X-Outer 1;
    server {
        listen 80 default_server;
        server_name app.example.com
                    www.example.com;   # two names
        set $release 5;
        root "/srv/app/current/public";
        location / { try_files $uri /index.php$is_args$args; }
        location ~ \\.php$ {
            include fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass unix:/run/php/app.sock;
            if ($request_method = POST) { add_header X-Inner "a b"; }
        }
        include conf.d/*.conf;
    }
}
"""
FILES = {
    "/etc/nginx/nginx.conf": SITE.encode(),
    "/etc/nginx/kinds.map": b"/admin admin;\n",
    "/etc/nginx/fastcgi_params": b"fastcgi_param QUERY_STRING $query_string;\n# note\nfastcgi_param HTTPS on;\n",
    "/etc/nginx/conf.d/b.conf": b"location /b { include fastcgi_params; }\n",
    "/etc/nginx/conf.d/a.conf": b"\n\nlocation /a { return 204; }\n",
}


def read(files: dict[str, bytes]) -> NginxConfig:
    tree = Tree(files)
    return parse(next(iter(files)), tree.read, tree.glob)


def one(text: str) -> NginxConfig:
    return read({"/n/nginx.conf": text.encode()})


def found(text: str) -> list[tuple[str, str, str]]:
    return [(p.kind, str(p.at).replace("/n/nginx.conf:", ""), p.hint) for p in one(text).problems]


def test_a_site_is_read_whole() -> None:
    config = read(FILES)
    assert config.problems == ()
    assert config.files == tuple(
        f"/etc/nginx/{n}" for n in ("nginx.conf", "kinds.map", "fastcgi_params", "conf.d/a.conf", "conf.d/b.conf")
    )
    assert [(i.pattern, len(i.files), i.at.line) for i in config.includes] == [
        ("/etc/nginx/kinds.map", 1, 3),
        ("/etc/nginx/fastcgi_params", 1, 13),
        ("/etc/nginx/conf.d/*.conf", 2, 18),
        ("/etc/nginx/fastcgi_params", 1, 1),
    ]
    assert config.comments["/etc/nginx/nginx.conf", 8] == "two names"
    assert config.comments["/etc/nginx/fastcgi_params", 2] == "note"


def test_includes_are_opened_where_they_stand() -> None:
    server = next(d for d, _ in walk(read(FILES)) if d.name == "server")
    assert [d.args for d in server.find("location")] == [("/",), ("~", "\\.php$"), ("/a",), ("/b",)]
    assert [str(d.at) for d in server.find("location")][2] == "/etc/nginx/conf.d/a.conf:3:1"


def test_walk_gives_the_blocks_around() -> None:
    config = read(FILES)
    passed = next((d, parents) for d, parents in walk(config) if d.name == "fastcgi_pass")
    assert [p.name for p in passed[1]] == ["", "http", "server", "location"]
    assert passed[0].line == 15
    assert "default" not in [d.name for d, _ in walk(config)]
    assert ("default", ("plain",)) in [(d.name, d.args) for d, _ in walk(config, tables=True)]
    assert ("/admin", ("admin",)) in [(d.name, d.args) for d, _ in walk(config, tables=True)]


def blocks(config: NginxConfig, name: str) -> list[tuple[Directive, ...]]:
    return [(*parents, d) for d, parents in walk(config) if d.name == name]


def test_the_nearest_level_that_has_a_directive_counts() -> None:
    config = read(FILES)
    php = next(b for b in blocks(config, "location") if b[-1].args[0] == "~")
    assert [d.args[0] for d in effective("fastcgi_param", php)] == ["QUERY_STRING", "HTTPS", "SCRIPT_FILENAME"]
    assert [d.args for d in effective("add_header", php)] == [("X-Outer", "1")]
    assert [d.args for d in effective("add_header", blocks(config, "if")[0])] == [("X-Inner", "a b")]
    assert effective("expires", php) == ()
    assert [d.args for d in effective("root", php)] == [("/srv/app/current/public",)]


def test_variables() -> None:
    assert variables_in("$a${b}c$1/$$x") == ("a", "b", "1", "x")
    assert defined_variables(read(FILES)) == {"app_kind", "rest", "release"}
    assert defined_variables(one("geo $geo { default 0; } geo $remote_addr $two {} split_clients $a $b {}")) == {
        "geo",
        "two",
        "b",
    }


def test_arguments_tell_their_lines() -> None:
    name = next(d for d, _ in walk(read(FILES)) if d.name == "server_name")
    assert (name.line, name.column, name.arg_lines) == (7, 9, (7, 8))


@pytest.mark.parametrize(
    ("condition", "args"),
    [
        ("($a)", ("$a",)),
        ("( $a )", ("$a",)),
        ("($a = b)", ("$a", "=", "b")),
        ('($a = "b c")', ("$a", "=", "b c")),
        ("(!-f $a)", ("!-f", "$a")),
    ],
)
def test_the_parentheses_of_if_are_left_out(condition: str, args: tuple[str, ...]) -> None:
    assert next(d for d, _ in walk(one(f"server {{ if {condition} {{ return 404; }} }}")) if d.name == "if").args == args


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("http {\n  server {\n    root /a\n    index b;\n  }\n}", "3:5", "';' is missing at the end of line 3"),
        ("http {\n  root /a b;\n}", "2:3", ""),
        ("http {\n  proxy_pass http://x;\n}", "2:3", "it stands in http"),
        ("root /a;", "1:1", "it stands in the outermost level"),
        ("http {\n  server;\n}", "2:3", ""),
        ("http {\n  root /a {\n  }\n}", "2:3", ""),
        ("http {\n}\n}\n", "3", ""),
        ("http {\n  server {\n}\n", "1:1", "'}' is missing"),
        ("events {}\n;", "2", ""),
        ("{ a b; }", "1", ""),
        ("http {\n  root /a\n}", "2:10", "';' is missing before it"),
        ("include a b;", "1:1", ""),
    ],
)
def test_syntax_errors_have_their_place(text: str, place: str, hint: str) -> None:
    assert found(text) == [("nginx-syntax", place, hint)]


def test_reading_goes_on_behind_an_error() -> None:
    kinds = [
        (kind, place) for kind, place, _ in found("http {\n gzip maybe;\n root;\n server { listen; }\n}\nevents { nosuch; }")
    ]
    assert kinds == [("nginx-bad-value", "2:2"), ("nginx-syntax", "3:2"), ("nginx-syntax", "4:11")]


def test_a_missing_file_is_told_and_an_empty_glob_is_not() -> None:
    config = read({"/n/nginx.conf": b"include nosuch.conf;\ninclude nosuch/*.conf;\ninclude /n/*.inc;\n"})
    assert [(p.kind, p.at.line) for p in config.problems] == [("nginx-include-missing", 1)]
    assert [i.files for i in config.includes] == [("/n/nosuch.conf",), (), ()]


def test_relative_includes_lie_beside_the_main_file() -> None:
    config = read({"/n/nginx.conf": b"include sub/a;", "/n/sub/a": b"include b;", "/n/b": b"user x;", "/n/sub/b": b"user y;"})
    assert [d.args for d, _ in walk(config) if d.name == "user"] == [("x",)]


def test_an_include_loop_ends() -> None:
    config = read({"/n/nginx.conf": b"include a;\n", "/n/a": b"user x;\ninclude nginx.conf;\n"})
    assert [(p.kind, str(p.at)) for p in config.problems] == [("nginx-syntax", "/n/a:2:1")]


def test_one_file_in_two_places_is_judged_in_both() -> None:
    config = read({"/n/nginx.conf": b"http { include a; server { include a; } }", "/n/a": b"try_files a b;\nbroken"})
    assert [(p.kind, str(p.at)) for p in config.problems] == [("nginx-syntax", "/n/a:1:1"), ("nginx-syntax", "/n/a:2:1")]
    assert [d.name for d, _ in walk(config)].count("try_files") == 2


def test_names_newer_than_the_table_pass() -> None:
    text = "http { http2 on; server { listen 443 quic; ssl_reject_handshake on; http3 on; nosuch_directive a { b; } } }"
    assert one(text).problems == ()
    assert [d.name for d, _ in walk(one(text)) if not known(d.name)] == ["nosuch_directive", "b"]
    assert nearest_name("fastcgi_reed_timeout") == "did you mean 'fastcgi_read_timeout'?"
    assert nearest_name("zzz") == ""


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    config = one("a {" * 3000 + "}" * 3000 + " user x;")
    assert [p.kind for p in config.problems] == ["nginx-syntax"]
    assert [d.args for d in config.directives if d.name == "user"] == [("x",)]


@given(
    st.lists(st.sampled_from(["http", " {", "}", ";", "\n", " a", '"', "'", "\\", "#", "include *;", "$", "if (", ")", "map"]))
)
def test_anything_is_read(pieces: list[str]) -> None:
    config = one("".join(pieces))
    assert all(p.at.file == "/n/nginx.conf" and p.message.isprintable() for p in config.problems)


# No escapes: crossplane keeps backslashes that nginx takes away.
WORD = st.text("abz019_./:~^$-", min_size=1, max_size=8)
QUOTED = st.text("ab {};#\n'$", max_size=8).map(lambda w: f'"{w}"')
SIMPLE = st.builds(
    lambda name, args: f"{name} {' '.join(args)};\n", st.sampled_from(["set_x", "foo", "bar"]), st.lists(WORD | QUOTED)
)
BLOCKS = st.recursive(
    SIMPLE, lambda inner: st.builds(lambda many: f"blk x {{\n{''.join(many)}}}\n", st.lists(inner)), max_leaves=10
)


def flat(crossplanes: list[dict[str, object]]) -> list[object]:
    return [(d["directive"], tuple(d["args"]), d["line"], flat(d["block"]) if "block" in d else None) for d in crossplanes]  # type: ignore


def ours(directives: tuple[Directive, ...]) -> list[object]:
    return [(d.name, d.args, d.line, ours(d.block) if d.block is not None else None) for d in directives]


@given(blocks_text=st.lists(BLOCKS).map("".join))
def test_crossplane_reads_the_same(blocks_text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "crossplane.conf"
    path.write_bytes(blocks_text.encode())
    payload = crossplane.parse(str(path), single=True)
    assert ours(one(blocks_text).directives) == flat(payload["config"][0]["parsed"])


def test_crossplane_reads_the_same_of_a_site(tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = tmp_path / name[len("/etc/nginx/") :]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    payload = crossplane.parse(str(tmp_path / "nginx.conf"), single=True)
    wanted = flat(payload["config"][0]["parsed"])
    # In a tree without its includes the two are the same line by line.
    alone = Tree({"/etc/nginx/nginx.conf": FILES["/etc/nginx/nginx.conf"]})
    assert ours(parse("/etc/nginx/nginx.conf", alone.read, alone.glob).directives) == wanted
