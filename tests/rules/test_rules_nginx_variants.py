"""What each rule on nginx finds besides its own example, and what it leaves alone: small changes of one good site."""

from __future__ import annotations

import pytest

from deploykit.model import Finding
from deploykit.parsers import nginx
from deploykit.parsers.tree import Tree
from deploykit.rules.all import judge
from deploykit.rules.nginx_examples import PHP, a_http, a_server, a_site
from deploykit.rules.nginx_tls_examples import a_tls_server
from deploykit.rules.rule import Subject, Surroundings

MAIN = "/etc/nginx/nginx.conf"
NAMES = ("QUERY_STRING", "REQUEST_METHOD", "CONTENT_TYPE", "CONTENT_LENGTH", "SCRIPT_NAME")
PARAMS = "".join(f"fastcgi_param {name} ${name.lower().replace('script', 'fastcgi_script')};\n" for name in NAMES)
GOOD = a_site()
PASS = "fastcgi_pass unix:/run/php/app.sock;"
FRONT = "try_files $uri $uri/ /index.php?$query_string;"
REDIRECT = "return 301 https://$host$request_uri;"


NOTHING_KNOWN = Surroundings()


def found(text: str, around: Surroundings = NOTHING_KNOWN) -> dict[str, Finding]:
    """The first finding of each rule that is an error or a warning."""
    files = {MAIN: text, "/etc/nginx/fastcgi_params": PARAMS}
    tree = Tree({path: body.encode() for path, body in files.items()})
    findings = judge(Subject(nginx=nginx.parse(MAIN, tree.read, tree.glob), around=around, texts=files))
    assert "rule-failed" not in {finding.rule for finding in findings}
    return {finding.rule: finding for finding in reversed(findings) if finding.severity != "info"}


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def rooted(*names: str) -> Surroundings:
    """The good site's root exists, with these names in it, and nothing else does."""
    known = {"/srv", "/srv/app", "/srv/app/public", *(f"/srv/app/public/{name}" for name in names)}
    return Surroundings(exists=lambda path: path in known, names=lambda folder: names if folder == "/srv/app/public" else None)


REPORTED = {
    "no closing brace": ("nginx-syntax", "error", GOOD.rstrip()[:-1]),
    "wrong place": ("nginx-syntax", "error", a_http("location / { return 204; }")),
    "open quote": ("nginx-syntax", "error", a_server('add_header X "a;')),
    "address twice": ("nginx-duplicate-listen", "error", changed("listen 80;", "listen 80; listen *:80;")),
    "two default servers": (
        "nginx-duplicate-listen",
        "error",
        a_http(*(f"server {{ listen 80 default_server; server_name {name}; return 204; }}" for name in "ab")),
    ),
    "pattern without a file": ("nginx-include-empty", "warning", a_site("include snipets/*.conf;")),
    "time with a fraction": ("nginx-bad-value", "error", a_site("keepalive_timeout 1.5h;")),
    "port nought": ("nginx-bad-value", "error", changed("listen 80;", "listen 0;")),
    "port of a pass": ("nginx-bad-value", "error", changed(PASS, "fastcgi_pass 127.0.0.1:99999;")),
    "open set": ("nginx-bad-regex", "error", a_site("location ~ ^/[a-z { return 204; }")),
    "a shell's pattern": ("nginx-bad-regex", "error", a_site("location ~ *.html { return 204; }")),
    "one capture": ("nginx-bad-regex", "error", changed(PASS, f"fastcgi_split_path_info ^(.+\\.php)/.*$; {PASS}")),
    "unset busy size": ("nginx-fastcgi-buffers", "error", a_site("fastcgi_buffer_size 64k;")),
    "busy size too large": ("nginx-fastcgi-buffers", "error", a_site("proxy_buffers 4 4k; proxy_busy_buffers_size 64k;")),
    "log format": ("nginx-undefined-name", "error", a_site("access_log /var/log/a.log mian;")),
    "connections": ("nginx-undefined-name", "error", a_site("limit_conn nosuch 5;")),
    "upstream": ("nginx-undefined-name", "error", changed(PASS, "fastcgi_pass php;")),
    "zone twice": (
        "nginx-duplicate-directive",
        "error",
        a_http(*(2 * ("limit_req_zone $uri zone=a:1m rate=1r/s;",)), "server { listen 80; return 204; }"),
    ),
    "lonely dollar": ("nginx-unknown-variable", "error", a_server('return 200 "cost$";')),
    "variable in a map": (
        "nginx-unknown-variable",
        "error",
        a_http("map $uri $a { default $nosuch; }", "server { return 204; }"),
    ),
    "swallowed index": ("nginx-server-name", "error", changed("app.example.com;", "app.example.com\n index index.php;")),
    "a URL as a name": ("nginx-server-name", "error", changed("app.example.com;", "https://app.example.com/;")),
    "error page by name": ("nginx-named-location", "error", a_site("error_page 502 @down;")),
    "set in an if": ("nginx-if-in-location", "error", changed(FRONT, f"if ($args) {{ set $x 1; }} {FRONT}")),
    "pass in an if": (
        "nginx-if-in-location",
        "warning",
        changed(FRONT, f"if ($args) {{ proxy_pass http://127.0.0.1:9; }} {FRONT}"),
    ),
    "rewrite in circles": ("nginx-redirect-cycle", "error", changed(FRONT, "rewrite ^ /app last;")),
    "no such file": ("nginx-redirect-cycle", "error", changed(FRONT, "try_files $uri $uri/ /app;")),
    "ever longer": ("nginx-redirect-cycle", "error", changed(FRONT, "try_files $uri /route$uri;")),
    "PHP in circles": ("nginx-redirect-cycle", "error", changed("try_files $uri =404;", "rewrite ^ /index.php last;")),
    "expires before PHP": (
        "nginx-location-shadowed",
        "error",
        changed("location ~ /\\.", "location ~ php { expires 1h; }\nlocation ~ /\\."),
    ),
    "alias with ^~": ("nginx-alias-traversal", "error", a_site("location ^~ /img { alias /srv/app/shared/static/; }")),
    "source for another ending": ("nginx-php-source", "error", changed("~ \\.php$", "~ \\.php5$")),
    "root of another location": (
        "nginx-root-default",
        "error",
        changed("root /srv/app/public;", "").replace("location / {", "location / { root /srv/app/public;"),
    ),
    "script without root": ("nginx-script-filename", "error", changed("$document_root$fastcgi", "$fastcgi")),
    "lost method": (
        "nginx-fastcgi-param-lost",
        "error",
        changed("include fastcgi_params;", "").replace("listen 80;", "listen 80; include fastcgi_params;"),
    ),
    "lost own parameter": ("nginx-fastcgi-param-lost", "warning", a_site("fastcgi_param APP_ENV prod;")),
    "path behind the script": ("nginx-php-pathinfo", "warning", a_site(php=PHP[1:], location="~ \\.php(/|$)")),
    "dot files but .ht": ("nginx-dotfiles", "warning", changed("location ~ /\\. {", "location ~ /\\.ht {")),
    "rewrite beside deny": (
        "nginx-return-bypasses-deny",
        "error",
        a_site("location /a { deny all; rewrite ^ /index.php last; }"),
    ),
    "allow in a server": ("nginx-allow-without-deny", "warning", a_site("allow 10.0.0.1;")),
    "fpm's pages": (
        "nginx-status-page",
        "warning",
        a_site(f"location ~ ^/(status|ping)$ {{ {PHP[1]} fastcgi_param SCRIPT_FILENAME $fastcgi_script_name; {PASS} }}"),
    ),
    "decoded path": ("nginx-header-splitting", "warning", a_site("location /old { return 301 https://app.example.com$uri; }")),
    "named capture": (
        "nginx-header-splitting",
        "warning",
        a_site("location ~ ^/(?<to>[^/]+)/go$ { add_header X-To $to; return 204; }"),
    ),
    "only old protocols": ("nginx-weak-tls", "error", a_tls_server(listen="listen 443 ssl; ssl_protocols TLSv1 TLSv1.1;")),
    "broken ciphers": (
        "nginx-weak-tls",
        "warning",
        a_tls_server().replace("server {", "ssl_ciphers HIGH:RC4-SHA;\nserver {", 1),
    ),
    "redirect of the front page": ("nginx-https-redirect", "error", changed(FRONT, REDIRECT)),
    "redirect by rewrite": ("nginx-https-redirect", "error", a_site("rewrite ^ https://$host$request_uri? permanent;")),
    "redirect to the own name": ("nginx-https-redirect", "error", a_site("return 301 https://app.example.com$request_uri;")),
    "redirected health check": (
        "nginx-https-redirect",
        "error",
        a_tls_server().replace(
            "server {", f"server {{ listen 80; location = /health {{ return 200; }} {REDIRECT} }}\nserver {{", 1
        ),
    ),
    "literal host": (
        "nginx-proxy-resolver",
        "error",
        a_site("location ~ ^/api/(.*)$ { proxy_pass http://api.internal:8000/$1; }"),
    ),
    "host in a map": (
        "nginx-proxy-resolver",
        "error",
        a_http("map $uri $to { default api.internal; }", "server { listen 80; location / { proxy_pass http://$to; } }"),
    ),
    "curly quotes": ("render-odd-character", "warning", a_site("add_header X-A \u201chello\u201d;")),
    "a mark at the beginning": ("render-odd-character", "error", "\ufeff" + GOOD),
    "a statement of a template": ("render-leftover", "error", changed("app.example.com", "{% if x %}a{% endif %}")),
    "a boolean": ("render-none", "error", a_site("access_log False;")),
    "no address": ("render-empty", "error", changed(PASS, 'fastcgi_pass "";')),
}


@pytest.mark.parametrize("case", REPORTED)
def test_reported(case: str) -> None:
    rule, severity, text = REPORTED[case]
    findings = found(text)
    assert rule in findings, sorted(findings)
    assert findings[rule].severity == severity


SILENT = {
    "refusing in an if": changed(FRONT, f"if ($request_method = TRACE) {{ return 405; }} {FRONT}"),
    "one front controller": a_site(
        "location ~ \\.php$ { return 404; }", php=("internal;", *PHP[1:]), location="~ ^/index\\.php(/|$)"
    ).replace("location ~ \\.php$ { return 404; }\n", "", 1),
    "refused twice": a_site("location ~ /\\.ht { deny all; return 404; }"),
    "address or login": a_site("location /a { satisfy any; allow 10.0.0.0/8; auth_basic x; auth_basic_user_file /x; }"),
    "redirect by the balancer's word": a_site(
        'if ($http_x_forwarded_proto = "http") { return 301 https://$host$request_uri; }'
    ),
    "balancer's own port": a_http(f"server {{ listen 80; {REDIRECT} }}", "server { listen 8080; location / { return 204; } }"),
    "upstream by variable": a_http(
        "upstream app { server 127.0.0.1:8000; }", "server { listen 80; set $to app; location / { proxy_pass http://$to; } }"
    ),
    "json": a_http('log_format j escape=json \'{"a":{"b":"$request"}}\';', "server { listen 80; return 204; }"),
    "a brace in quotes": a_site('location ~ "^/users/[0-9]{2}$" { return 204; }'),
    "text in quotes": a_site('location /a { return 200 "{ d\u2019accord\u00a0} ; c"; }'),
    "nothing to say": a_site('fastcgi_param HTTP_PROXY "";', php=(*PHP, 'fastcgi_param HTTP_PROXY "";')),
    "empty name": a_http('server { listen 80; server_name ""; return 444; }'),
    "nameless upper case": a_site("set $x 1; add_header X-A ${x};"),
    "folders of the package": a_site().replace("http {", "include modules-enabled/*.conf;\nhttp {\n include conf.d/*.conf;", 1),
    "an application of one page": a_server("root /srv/app/public;", "location / { try_files $uri $uri/ /index.html; }"),
    "an index of its own": a_site("location /docs/ { index index.html; }"),
    "another certificate": a_http(
        "server { listen 443 ssl default_server; ssl_certificate /a; ssl_certificate_key /b; return 204; }",
        "server { listen 443 ssl; server_name b.example.com; return 204; }",
    ),
    "protocols that nobody speaks": a_http("ssl_protocols TLSv1 TLSv1.2;", "server { listen 80; return 204; }"),
    "rejected handshake": a_http("server { listen 443 ssl; ssl_reject_handshake on; }"),
}


@pytest.mark.parametrize("case", SILENT)
def test_silent(case: str) -> None:
    assert found(SILENT[case]) == {}


def test_a_file_that_is_not_there_makes_a_circle() -> None:
    text = changed(FRONT, "try_files $uri /front.html;")
    assert "nginx-redirect-cycle" not in found(text, rooted("front.html"))
    assert "nginx-redirect-cycle" in found(text, rooted("index.php"))


def test_secrets_below_the_root_are_an_error() -> None:
    text = changed("location ~ /\\. { deny all; }", "")
    assert found(text, rooted("index.php"))["nginx-dotfiles"].severity == "warning"
    assert found(text, rooted("index.php", ".env"))["nginx-dotfiles"].severity == "error"
    assert found(GOOD, rooted("index.php", ".env")) == {}


def test_scripts_below_the_root_of_a_static_server_come_out() -> None:
    text = a_server("root /srv/app/public;", "location / { try_files $uri =404; }")
    assert "nginx-php-source" in found(text, rooted("index.php"))
    assert found(text, rooted("index.html")) == {}


BUILT_IN = frozenset(("http_ssl_module", "http_realip_module"))


def test_a_module_that_was_installed_is_there() -> None:
    text = f"load_module modules/ngx_http_geoip_module.so;\n{GOOD}"
    bare = Surroundings(nginx_modules=BUILT_IN, exists=lambda path: path.startswith("/srv/app/public") and "." not in path)
    assert "nginx-needs-module" in found(text, bare)
    installed = "/usr/lib/nginx/modules/ngx_http_geoip_module.so"
    assert found(text, Surroundings(nginx_modules=BUILT_IN, exists=lambda path: path in (installed, "/srv/app/public"))) == {}


def test_a_directive_needs_its_module() -> None:
    text = a_site("sub_filter a b;")
    assert "nginx-needs-module" in found(text, Surroundings(nginx_modules=BUILT_IN))
    assert found(text, Surroundings(nginx_modules=BUILT_IN | {"http_sub_module"})) == {}
    assert found(text, Surroundings(nginx_modules=frozenset(("http_geoip_module",)))) == {}
    assert found(f"include modules-enabled/*.conf;\n{text}", Surroundings(nginx_modules=BUILT_IN)) == {}


def test_findings_name_the_line_to_mend() -> None:
    text = changed("listen 80;", "listen 80;\n        client_max_body_size 10X;")
    at = found(text)["nginx-bad-value"].at
    assert at is not None
    assert (at.file, at.line, at.column) == (MAIN, 6, 9)


def test_a_rule_that_breaks_down_stops_nothing() -> None:
    def broken(path: str) -> bool:
        raise RuntimeError(path)

    files = {MAIN: GOOD, "/etc/nginx/fastcgi_params": PARAMS}
    tree = Tree({path: body.encode() for path, body in files.items()})
    findings = judge(Subject(nginx=nginx.parse(MAIN, tree.read, tree.glob), around=Surroundings(exists=broken)))
    assert {finding.severity for finding in findings if finding.rule == "rule-failed"} == {"info"}
    assert any("nginx-root-missing" in finding.message for finding in findings)
