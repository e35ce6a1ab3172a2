"""The live tree of the private root: the base that every first run starts from, and looks at what became of it."""

from __future__ import annotations

import os
import shutil
from typing import Mapping, Tuple

from harness.layout import Layout, account

Snapshot = Mapping[str, Tuple[int, bytes]]

BASE_NGINX = """user {account}; worker_processes 2; worker_rlimit_nofile 16384;
pid {root}/run/nginx.pid; error_log {root}/var/log/nginx/error.log notice;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {root}/var/lib/nginx/body; proxy_temp_path {root}/var/lib/nginx/proxy;
    fastcgi_temp_path {root}/var/lib/nginx/fastcgi; uwsgi_temp_path {root}/var/lib/nginx/uwsgi;
    scgi_temp_path {root}/var/lib/nginx/scgi;
    server {{ listen 127.0.0.1:{port}; return 200 "base"; }}
}}
"""
BASE_FPM = """[global]
pid = {pid}
error_log = {log}
include = {fpm}/pool.d/*.conf
"""
BASE_POOL = """[www]
{owner}listen = {root}/run/php/www.sock
pm = ondemand
pm.max_children = 2
"""
FOLDERS = ("run/php", "var/log/nginx", "var/log/php", "var/lib/nginx", "tmp", "etc/nginx/conf.d")


def lay_base(layout: Layout, sites: int, port: int) -> Snapshot:
    """Make the root: folders, one document root per site, and configuration that both services start from."""
    for folder in (*FOLDERS, f"etc/php/{layout.php}/fpm/pool.d"):
        os.makedirs(os.path.join(layout.root, folder))
    os.makedirs(layout.work)
    for number in range(1, sites + 1):
        _write(f"{layout.root}/srv/site{number:04d}/index.php", f"<?php echo 'site{number:04d}';\n")
    values = {"root": layout.root, "account": account(), "port": port, "pid": layout.fpm_pid, "log": layout.fpm_log}
    owner = f"user = {account()}\n" if os.getuid() == 0 else ""
    for name in ("mime.types", "fastcgi_params"):
        shutil.copy(f"/etc/nginx/{name}", f"{layout.nginx}/{name}")
    _write(f"{layout.nginx}/nginx.conf", BASE_NGINX.format(**values))
    _write(f"{layout.fpm}/php-fpm.conf", BASE_FPM.format(fpm=layout.fpm, **values))
    _write(f"{layout.fpm}/pool.d/www.conf", BASE_POOL.format(owner=owner, **values))
    return snapshot(layout)


def snapshot(layout: Layout) -> Snapshot:
    """Mode and bytes of every file below the two configuration folders, by absolute path."""
    found = {}
    for folder, _, names in (entry for top in (layout.nginx, layout.fpm) for entry in os.walk(top)):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                found[path] = (os.fstat(stream.fileno()).st_mode & 0o7777, stream.read())
    return found


def restore(layout: Layout, base: Snapshot) -> None:
    """Bring the live tree back to the base and forget what a contender remembered about its last run."""
    for path in set(snapshot(layout)) - set(base):
        os.unlink(path)
    for path, (mode, content) in base.items():
        _write(path, content)
        os.chmod(path, mode)
    for remembered in (layout.work, f"{layout.root}/var/lib/deploykit"):
        shutil.rmtree(remembered, ignore_errors=True)
    os.makedirs(layout.work)


def differences(found: Snapshot, base: Snapshot, files: Mapping[str, bytes]) -> Tuple[str, ...]:
    """Paths at which the tree is not the base with ``files`` (mode 0644) laid over it."""
    right = {**base, **{path: (0o644, content) for path, content in files.items()}}
    return tuple(sorted(path for path in {*found, *right} if found.get(path) != right.get(path)))


def _write(path: str, content: str | bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
