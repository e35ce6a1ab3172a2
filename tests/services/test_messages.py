"""What the real programs say about a broken configuration, led back to the template's line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from support.services import needs_services

from deploykit.errors import Location
from deploykit.model import Finding, Target, TrialProblem
from deploykit.services.messages import HINTS, Mapper

# A broken file -> the line of it that is to be named (0: none), and a piece of what is said.
NGINX: Dict[str, Tuple[int, str]] = {
    "server { listen 127.0.0.1:1; }\nno_such_directive on;\n": (2, 'unknown directive "no_such_directive"'),
    "server {\n  listen 127.0.0.1:1\n}\n": (3, 'unexpected "}"'),
    "server {\n  client_max_body_size 12x;\n}\n": (2, "invalid value"),
    "server {\n  location / { proxy_pass http://no.such.host.invalid; }\n}\n": (2, "host not found in upstream"),
    "# /no/such.pem\nserver {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate /no/such.pem;\n  ssl_certificate_key /no/k;\n}\n": (
        4,
        "cannot load certificate",
    ),
    "server {\n  set $x $no_such_variable_here;\n}\n": (2, 'unknown "no_such_variable_here" variable'),
    "server {\n  access_log /no/such/folder/x.log;\n}\n": (2, 'open() "/no/such/folder/x.log" failed'),
    'server {\n  location ~ "(" { }\n}\n': (2, "missing closing parenthesis"),
    "include /no/such/file.conf;\n": (1, "No such file"),
}
POOL = "[www]\nuser = www-data\nlisten = /tmp/x.sock\npm = static\n"
FPM: Dict[str, Tuple[int, str]] = {
    POOL + "no_such_key = 3\n": (5, "unknown entry 'no_such_key'"),
    POOL + "pm.max_children = many\n": (5, "is not a valid number"),
    POOL + "pm.max_children = 1\nchdir = /no/such/folder\n": (6, "does not exist or is not a directory"),
    POOL + "pm.max_children = 1\n[two]\nlisten = /tmp/y.sock\n": (6, "[pool two]"),
    "[www\nlisten = /tmp/x.sock\n": (1, "syntax error"),
    POOL + 'pm.max_children = 1\nenv[X] = "never closed\n': (6, "syntax error"),
}
MAIN = {
    "nginx": "pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{ }}\nhttp {{\naccess_log off;\n"
    + "".join(f"{name}_temp_path {{folder}}/{name};\n" for name in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
    + "include {folder}/x.conf;\n}}\n",
    "php-fpm": "[global]\npid = {folder}/pid\nerror_log = {folder}/error.log\ninclude = {folder}/x.conf\n",
}


def ask(service: str, folder: Path, content: str) -> str:
    """What the program's own test says about a main file that includes this content."""
    (folder / "main.conf").write_text(MAIN[service].format(folder=folder))
    (folder / "x.conf").write_text(content)
    if service == "nginx":
        argv = [shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx", "-t", "-c", str(folder / "main.conf")]
    else:
        program = sorted(Path("/usr/sbin").glob("php-fpm*"))[-1]
        argv = [str(program), "--test", "--fpm-config", str(folder / "main.conf")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def mapper(*targets: Target) -> Mapper:
    """Templates have a line more than what is rendered from them."""
    return Mapper({t.path: t for t in targets}, lambda target, line: Location(target.template, line + 1))


def target(path: str, content: str) -> Target:
    return Target(path, "nginx", "config_templates/" + os.path.basename(path) + ".j2", content.encode(), 0o644, "", "")


def findings(service: str, output: str, *targets: Target, severity: str = "error", kind: str = "test") -> List[Finding]:
    return list(mapper(*targets).findings(TrialProblem(kind, service, output), severity))


@pytest.mark.services
@needs_services()
@pytest.mark.parametrize(("service", "content"), [("nginx", text) for text in NGINX] + [("php-fpm", text) for text in FPM])
def test_real_messages_lead_to_the_template(service: str, content: str, tmp_path: Path) -> None:
    line, words = (NGINX if service == "nginx" else FPM)[content]
    output = ask(service, tmp_path, content)
    found = findings(service, output, target(f"{tmp_path}/main.conf", ""), target(f"{tmp_path}/x.conf", content))
    assert [finding.at for finding in found] == [Location("config_templates/x.conf.j2", line + 1)], output
    assert words in found[0].message
    assert str(tmp_path) not in found[0].message
    assert found[0].severity == "error"


@pytest.mark.services
@needs_services()
def test_a_real_warning_is_one_and_no_error(tmp_path: Path) -> None:
    content = "server { listen 127.0.0.1:1; }\nserver { listen 127.0.0.1:1;\n  server_name twice.example; }\n" * 2
    output = ask("nginx", tmp_path, content)
    targets = [target(f"{tmp_path}/x.conf", content)]
    (finding, *_) = findings("nginx", output, *targets, severity="warning")
    assert finding.message.startswith('conflicting server name "')
    assert finding.severity == "warning"


def test_a_file_that_is_not_rendered_stands_for_itself() -> None:
    (finding,) = findings("nginx", 'nginx: [emerg] unknown directive "x" in /etc/nginx/mime.types:7\n')
    assert finding.at == Location("/etc/nginx/mime.types", 7)
    assert finding.message == 'unknown directive "x"'


def test_a_name_is_found_as_a_word_of_its_own_outside_comments() -> None:
    content = "# b\nserver_name ab b.example;\nserver_name b;\n"
    output = 'nginx: [warn] conflicting server name "b" on 0.0.0.0:80, ignored'
    (finding,) = findings("nginx", output, target("/x", content), severity="warning")
    assert finding.at == Location("config_templates/x.j2", 4)


def test_the_same_words_are_told_once_and_harmless_ones_never() -> None:
    output = (
        "nginx: [emerg] one\n2026/11/24 19:34:58 [emerg] 7#7: one\n"
        'nginx: [warn] the "user" directive makes sense only if the master process runs with super-user privileges\n'
        "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
    )
    assert [finding.message for finding in findings("nginx", output)] == ["one"]
    assert findings("nginx", output, severity="warning") == []


def test_a_program_that_says_nothing_is_quoted_all_the_same() -> None:
    (finding,) = findings("nginx", "Segmentation fault\n")
    assert finding.message == "Segmentation fault"
    (finding,) = findings("php-fpm", "\n")
    assert "does not accept this configuration and does not say why" in finding.message
    assert findings("nginx", "nginx: [notice] fine\n", severity="warning") == []


@pytest.mark.parametrize("kind", HINTS)
def test_problems_of_the_pair_are_told_whole_at_the_line_that_names_them(kind: str) -> None:
    output = "no answer from unix:/run/php/gone.sock: [emerg] no such file"
    content = "location / {\n  fastcgi_pass unix:/run/php/gone.sock;\n}\n"
    (finding,) = findings("nginx", output, target("/x", content), kind=kind)
    assert (finding.message, finding.hint) == (output, HINTS[kind])
    assert finding.at == Location("config_templates/x.j2", 3)
