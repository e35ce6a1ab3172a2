"""A small machine below one folder: nginx and php-fpm configuration, sockets, logs and a page, and a trial of it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from deploykit.model import Probe, Trial, TrialFile, TrialService

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin") or ""
PHP = next(filter(None, (shutil.which(f"php-fpm{v}", path="/usr/sbin") for v in ("8.4", "8.3", "8.2", "8.1", ""))), "")

MAIN = """user www-data;
worker_processes 1;
pid {root}/run/nginx.pid;
error_log {root}/var/log/nginx/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {root}/var/log/nginx/access.log;
    client_body_temp_path {root}/var/lib/nginx/body;
    fastcgi_temp_path {root}/var/lib/nginx/fastcgi;
    proxy_temp_path {root}/var/lib/nginx/proxy;
    uwsgi_temp_path {root}/var/lib/nginx/uwsgi;
    scgi_temp_path {root}/var/lib/nginx/scgi;
    include {root}/etc/nginx/sites-enabled/*;
}}
"""
SITE = """server {{
    listen 127.0.0.1:{port};
    root {root}/www;
    location / {{ return 200 "static\\n"; }}
    location = /empty {{ return 200; }}
    location ~ \\.php$ {{
        include {root}/etc/nginx/fastcgi.conf;
        fastcgi_pass unix:{root}/run/php/app.sock;
    }}
}}
"""
FASTCGI = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\nfastcgi_param REQUEST_METHOD $request_method;\n"
FPM = """[global]
pid = {root}/run/php/fpm.pid
error_log = {root}/var/log/fpm.log
include = {root}/etc/php/pool.d/*.conf
"""
POOL = """[app]
user = www-data
group = www-data
listen = {root}/run/php/app.sock
listen.owner = www-data
listen.group = www-data
pm = static
pm.max_children = 1
ping.path = /ping
"""


def free_port() -> int:
    """A port that nobody had a moment ago; in a trial nobody else is there."""
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


@dataclass
class Site:
    """The small machine. ``trial()`` is a trial of it with files laid over."""

    root: Path
    port: int = field(default_factory=free_port)

    def text(self, template: str) -> str:
        return template.format(root=self.root, port=self.port)

    def lay_out(self) -> None:
        for folder in ("etc/nginx/sites-enabled", "etc/nginx/sites-available", "etc/php/pool.d", "run/php", "var/log/nginx"):
            (self.root / folder).mkdir(parents=True)
        for folder in ("var/lib/nginx", "www", "tmp"):
            (self.root / folder).mkdir(parents=True)
        self.write("etc/nginx/nginx.conf", MAIN)
        self.write("etc/nginx/fastcgi.conf", FASTCGI)
        self.write("etc/nginx/sites-available/app", SITE)
        (self.root / "etc/nginx/sites-enabled/app").symlink_to(self.root / "etc/nginx/sites-available/app")
        self.write("etc/php/php-fpm.conf", FPM)
        self.write("etc/php/pool.d/app.conf", POOL)
        (self.root / "www/index.php").write_text("<?php echo 'page of ' . get_current_user() . PHP_EOL;")

    def write(self, name: str, template: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text(template))
        return path

    def file(self, name: str, template: str, mode: int = 0o644) -> TrialFile:
        return TrialFile(f"{self.root}/{name}", self.text(template).encode(), mode, os.geteuid(), os.getegid())

    @property
    def nginx(self) -> TrialService:
        argv = (NGINX, "-e", "stderr", "-c", f"{self.root}/etc/nginx/nginx.conf")
        return TrialService("nginx", (*argv, "-t"), argv, f"{self.root}/run/nginx.pid")

    @property
    def fpm(self) -> TrialService:
        argv = (PHP, "-y", f"{self.root}/etc/php/php-fpm.conf")
        return TrialService("php-fpm", (*argv, "-t"), (*argv, "--daemonize"), f"{self.root}/run/php/fpm.pid")

    def probe(self, path: str = "/index.php", **more: object) -> Probe:
        return Probe("http", url=f"http://127.0.0.1:{self.port}{path}", **more)  # type: ignore[arg-type]

    def trial(self, *files: TrialFile, **more: object) -> Trial:
        root = str(self.root)
        settings: Dict[str, object] = {
            "files": files,
            "removals": (),
            "covered": (f"{root}/etc/nginx", f"{root}/etc/php"),
            "private": ("/tmp", "/run", f"{root}/run", f"{root}/var/log", f"{root}/var/lib/nginx", f"{root}/tmp"),
            "visible": (root,),
            "services": (self.nginx, self.fpm),
            "addresses": (f"unix:{root}/run/php/app.sock",),
            "user": "www-data",
            "probes": (self.probe(body="page of"),),
            "seconds": 20.0,
        }
        settings.update(more)
        return Trial(**settings)  # type: ignore[arg-type]

    def look(self) -> List[Tuple[str, ...]]:
        """Every file and folder with what would tell a change."""
        return list(look(str(self.root)))


def look(top: str) -> Iterator[Tuple[str, ...]]:
    """Name, owner, mode, number, size and times of all that is below ``top``."""
    for folder, names, files in os.walk(top):
        for name in (".", *names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            owner = (status.st_mode, status.st_uid, status.st_gid)
            yield (path, *map(str, (*owner, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)))


def new_site() -> Site:
    """A site in a folder that the workers' account can enter (pytest's own folders are closed to it)."""
    root = Path(tempfile.mkdtemp(prefix="dk-trial-", dir="/tmp"))
    root.chmod(0o755)
    site = Site(root)
    site.lay_out()
    return site


def processes_of(site: Site) -> List[str]:
    """Command lines of all living processes that name the site's folder, or live in a namespace with mounts below it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            mounts = Path(f"/proc/{pid}/mountinfo").read_text("utf-8", "replace")
        except OSError:
            continue
        if line and str(site.root) in line + mounts and int(pid) != os.getpid():
            found.append(line)
    return found
