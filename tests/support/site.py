"""A whole deployment to play with: a bundle in revisions, a root of its own, and the real program run on both.

with Site() as site:
    site.deploy("one"); site.answer() == "one"
    site.run("AfterInstall", "two", kill_at=7)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from support.services import FOLDERS, free_port

from deploykit.model import Answer, Probe
from deploykit.system import http, processes

TOP = Path(__file__).parent.parent.parent
FAULTY = Path(__file__).parent / "faulty.py"

DEPLOYKIT_YML = """\
version: 1
services:
  php-fpm: {user: USER}
variables: {port: PORT, marker: "MARKER", db_password: "first-secret"}
environments:
  test: {groups: ["*-test"]}
secrets: [db_password]
probes:
  - http: {url: "http://127.0.0.1:{{ port }}/page.php", expect: 200, body: "php MARKER", timeout: 2s, within: 3s}
  - http: {url: "http://127.0.0.1:{{ port }}/", expect: 200, body: "MARKER", timeout: 2s, within: 3s}
"""
NGINX_CONF = """\
{% if facts.is_root %}user {{ nginx.user }};{% endif %}

worker_processes 1;
pid {{ nginx.pid_file }};
error_log {{ nginx.error_log }};
events { worker_connections 256; }
http {
    access_log off;
{% for name in ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"] %}
    {{ name }}_temp_path {{ facts.prefix }}/var/lib/nginx/{{ name }};
{% endfor %}
    include {{ nginx.root }}/conf.d/*.conf;
}
"""
SITE_CONF = """\
server {
    listen 127.0.0.1:{{ port }};
    root {{ facts.prefix }}/var/www/html;
    location / { return 200 "{{ marker }}"; }
    location ~ \\.php$ {
        fastcgi_pass unix:{{ php_fpm.run }}/SOCKET;
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param QUERY_STRING $query_string;
        fastcgi_param CONTENT_TYPE $content_type;
        fastcgi_param CONTENT_LENGTH $content_length;
    }
}
"""
FPM_CONF = """\
[global]
pid = {{ php_fpm.pid_file }}
error_log = {{ php_fpm.error_log }}
process_control_timeout = 5s
include = {{ php_fpm.root }}/pool.d/*.conf
"""
POOL_CONF = """\
[POOL]
user = {{ php_fpm.user }}
group = {{ php_fpm.user }}
listen = {{ php_fpm.run }}/SOCKET
listen.mode = 0666
pm = static
pm.max_children = 2
env[MARKER] = {{ marker | fpm_quote(env=true) }}
env[DB_PASSWORD] = {{ db_password | fpm_quote(env=true) }}
"""
PAGE = "<?php usleep((int) ($_GET['ms'] ?? 0) * 1000); echo 'php ', getenv('MARKER'), \"\\n\";\n"

# What distinguishes the revisions: "two" changes both services, moves the socket, adds a file and gives one up.
REVISIONS: Dict[str, Dict[str, str]] = {
    "one": {"socket": "one.sock", "nginx/conf.d/only-one.conf": "# only in revision one\n"},
    "two": {"socket": "two.sock", "nginx/conf.d/extra/only-two.conf": "# only in revision two\n"},
    "broken": {"socket": "one.sock", "nginx/conf.d/broken.conf": "server { listen 127.0.0.1:1; no_such_directive on; }\n"},
    "wrong socket": {"socket": "one.sock", "nginx socket": "elsewhere.sock"},
}


class Result(NamedTuple):
    """How a run of the program ended; status is negative for a signal. output: both streams, stdout: for programs."""

    status: int
    output: str
    stdout: str = ""


class Site:
    """One root with real services and a folder of bundles; leaving kills what runs and removes both."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="dk-site-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.root = self.folder + "/root"
        self.port = free_port()
        for name in FOLDERS:
            os.makedirs(f"{self.root}/{name}")
        Path(self.root, "var/www/html/page.php").write_text(PAGE, encoding="utf-8")

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        shutil.rmtree(self.folder, ignore_errors=True)

    def bundle(self, revision: str, marker: str = "") -> str:
        """Folder of a revision's bundle, made when it is first asked for."""
        folder = Path(self.folder, "bundles", (revision + marker).replace(" ", "-"))
        if not folder.exists():
            parts = REVISIONS[revision]
            templates = folder / "config_templates"
            socket, nginx_socket = parts["socket"], parts.get("nginx socket", parts["socket"])
            text = (
                DEPLOYKIT_YML.replace("PORT", str(self.port)).replace("MARKER", marker or revision).replace("USER", "www-data")
            )
            self._write(folder / "deploykit.yml", text)
            self._write(templates / "nginx/nginx.conf.j2", NGINX_CONF)
            self._write(templates / "nginx/conf.d/site.conf.j2", SITE_CONF.replace("SOCKET", nginx_socket))
            self._write(templates / "php-fpm/php-fpm.conf.j2", FPM_CONF)
            pool = POOL_CONF.replace("POOL", socket.partition(".")[0]).replace("SOCKET", socket)
            self._write(templates / "php-fpm/pool.d/site.conf.j2", pool)
            for name, content in parts.items():
                if "/" in name:
                    self._write(templates / name, content)
        return str(folder)

    def edit(self, revision: str, name: str, before: str, after: str, marker: str = "") -> None:
        """Change a file of a revision's bundle; ``before`` must be in it."""
        path = Path(self.bundle(revision, marker), name)
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def run(self, words: str, revision: str = "one", *more: str, fault: str = "", marker: str = "") -> Result:
        """Run the program as a process of its own. fault: see faulty.py, e.g. ``kill:7``."""
        return self.call(self.argv(words, revision, *more, fault=fault, marker=marker))

    def call(self, argv: List[str]) -> Result:
        """Run a program as the agent does, with next to nothing in its environment."""
        done = subprocess.run(
            argv, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
        return Result(done.returncode, (done.stdout + done.stderr).decode("utf-8"), done.stdout.decode("utf-8"))

    def argv(self, words: str, revision: str, *more: str, fault: str = "", marker: str = "") -> List[str]:
        """The words that start the program."""
        argv = [sys.executable, str(FAULTY), fault or "none", *words.split(), *more]
        return [*argv, "--root", self.root, "--bundle", self.bundle(revision, marker), "--env", "test"]

    def environment(self) -> Dict[str, str]:
        """As thin as the agent's."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": os.pathsep.join([str(TOP), *sys.path])}

    def wait_for_line(self, path: str, text: str) -> None:
        """Wait until a file below the root holds a text; at most ten seconds."""
        file = Path(self.root, path)
        for _ in range(1000):
            if file.exists() and text in file.read_text("utf-8"):
                return
            time.sleep(0.01)
        raise AssertionError(f"{path} never held {text!r}")

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true; at most ten seconds."""
        for _ in range(1000):
            if true():
                return
            time.sleep(0.01)
        raise AssertionError("it never came true")

    def generation(self) -> List[Tuple[int, int]]:
        """Every process of both services with its start time."""
        found = [processes.running(pid) for pid in self.processes()]
        return sorted((one.pid, one.started) for one in found if one)

    def deploy(self, revision: str, marker: str = "") -> None:
        """AfterInstall and ApplicationStart, which must end well."""
        for event in ("AfterInstall", "ApplicationStart"):
            result = self.run(f"run {event}", revision, marker=marker)
            assert result.status == 0, result.output

    def ask(self, path: str = "/") -> Answer:
        return http.ask(Probe("http", url=f"http://127.0.0.1:{self.port}{path}", timeout=5.0))

    def serves(self, revision: str) -> bool:
        """Do nginx and PHP both answer as this revision?"""
        static, page = self.ask("/"), self.ask("/page.php")
        return (static.status, static.body, page.status, page.body.strip()) == (
            200,
            revision.encode(),
            200,
            b"php " + revision.encode(),
        )

    def files(self) -> Mapping[str, Tuple[int, int, int, str]]:
        """Everything below etc/: path -> mode, uid, gid, digest of content (or where a link points, or ``folder``)."""
        found: Dict[str, Tuple[int, int, int, str]] = {}
        for folder, names, files in os.walk(self.root + "/etc"):
            for name in names + files:
                path = os.path.join(folder, name)
                seen = os.lstat(path)
                found[path] = (seen.st_mode, seen.st_uid, seen.st_gid, _content(path))
        return found

    def leftovers(self) -> List[str]:
        """Names that no ended run may leave: an open journal, temporary files, bridges."""
        found = [path for path in self.files() if "deploykit" in os.path.basename(path)]
        home = Path(self.root, "var/lib/deploykit")
        return found + [str(path) for path in home.glob("*") if path.name not in ("lock", "stamp", "record.json", "history")]

    def processes(self) -> List[int]:
        """Numbers of the masters and their children."""
        found: List[int] = []
        for name in ("nginx.pid", "php/php*-fpm.pid"):
            for path in Path(self.root, "run").glob(name):
                master = processes.master(str(path))
                found += [child.pid for child in processes.children(master.pid)] + [master.pid] if master else []
        return found

    def kill(self, name: str) -> None:
        """End a service at once, all its processes; a piece of its pid file's name says which."""
        master = self.master(name)
        assert master
        family = [master, *(child.pid for child in processes.children(master))]
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        for _ in range(500):
            if not any(processes.running(pid) for pid in family):
                return
            time.sleep(0.01)
        raise AssertionError(f"{name} does not die")

    def master(self, name: str) -> Optional[int]:
        """The number of a service's master, by a piece of its pid file's name."""
        for path in Path(self.root, "run").rglob(f"*{name}*.pid"):
            master = processes.master(str(path))
            return master.pid if master else None
        return None

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _content(path: str) -> str:
    if os.path.islink(path):
        return os.readlink(path)
    if os.path.isdir(path):
        return "folder"
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
