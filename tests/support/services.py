"""A real nginx and php-fpm of one's own, below a private folder, at a free port: ``with Stack() as stack: ...``."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Type

import pytest

from deploykit.model import Answer, Facts, Probe, Service
from deploykit.services import supervisor
from deploykit.stages.gather import gather
from deploykit.system import processes
from deploykit.system.real import RealMachine
from deploykit.system.signals import Watch

NGINX_CONF = """\
{user}worker_processes 2;
pid {prefix}/run/nginx.pid;
error_log {prefix}/var/log/nginx/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {prefix}/var/lib/nginx/body;
    fastcgi_temp_path {prefix}/var/lib/nginx/fastcgi;
    proxy_temp_path {prefix}/var/lib/nginx/proxy;
    scgi_temp_path {prefix}/var/lib/nginx/scgi;
    uwsgi_temp_path {prefix}/var/lib/nginx/uwsgi;
    include {prefix}/etc/nginx/conf.d/*.conf;
}}
"""
SITE_CONF = """\
server {{
    listen 127.0.0.1:{port};
    root {prefix}/var/www/html;
    location / {{ return 200 "{marker}"; }}
    location ~ \\.php$ {{
        fastcgi_pass {address};
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param QUERY_STRING $query_string;
    }}
}}
"""
FPM_CONF = """\
[global]
pid = {prefix}/run/php/php{version}-fpm.pid
error_log = {prefix}/var/log/php{version}-fpm.log
process_control_timeout = 5s
include = {prefix}/etc/php/{version}/fpm/pool.d/*.conf
"""
POOL_CONF = """\
[{name}]
{user}listen = {listen}
listen.mode = 0666
pm = static
pm.max_children = 3
ping.path = /ping
pm.status_path = /fpm-status
"""
PAGE = "<?php usleep((int) ($_GET['ms'] ?? 0) * 1000); echo 'page of ', $_GET['name'] ?? 'nobody', \"\\n\";\n"
FOLDERS = ("etc/nginx/conf.d", "run/php", "var/log/nginx", "var/lib/nginx", "var/www/html")


def needs_services() -> pytest.MarkDecorator:
    """Mark for tests that start a :class:`Stack`: ``pytestmark = [pytest.mark.services, needs_services()]``."""
    there = shutil.which("nginx", path="/usr/sbin:/usr/bin") and any(Path("/usr/sbin").glob("php-fpm*"))
    return pytest.mark.skipif(not there, reason="nginx or php-fpm is not installed")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens at just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def real_machine() -> RealMachine:
    """The machine itself, for tests that change only what lies below folders of their own (``allow`` them first)."""
    return RealMachine("", [], {}, "", Watch(3600.0))


class Stack:
    """Both services with Debian's layout below ``prefix`` (mode 0755): one site at ``port``, one pool ``www``.

    ``/`` answers ``marker`` without PHP; ``/page.php?ms=100&name=x`` sleeps and answers ``page of x``. Entering starts
    both (``start=False`` does not), leaving kills what runs and removes the folder.
    """

    def __init__(self, start: bool = True) -> None:
        self.prefix = tempfile.mkdtemp(prefix="dk-stack-", dir="/tmp")
        os.chmod(self.prefix, 0o755)
        self.port = free_port()
        self.machine = real_machine()
        self.machine.allow([self.prefix])
        self.facts: Facts = gather({}, self.prefix, self.machine)
        self._start = start
        self._write_all()

    @property
    def services(self) -> Dict[str, Service]:
        """Both services as the product finds them below the prefix."""
        return dict(self.facts.services)

    @property
    def nginx(self) -> Service:
        return self.facts.services["nginx"]

    @property
    def php(self) -> Service:
        return self.facts.services["php-fpm"]

    def __enter__(self) -> Stack:
        try:
            if self._start:
                for service in (self.php, self.nginx):
                    self.start(service)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill both families by number and remove the folder."""
        for service in self.services.values():
            self.kill(service)
        shutil.rmtree(self.prefix, ignore_errors=True)

    def start(self, service: Service) -> None:
        """Start a service and wait until all its workers are there under their own titles."""
        supervisor.start(service, self.machine)
        expected = 2 if service.name == "nginx" else 3
        until = time.monotonic() + 5
        while time.monotonic() < until:
            titles = [worker.title for worker in supervisor.now(service, self.machine).family]
            if len(titles) >= expected and not any("master" in title for title in titles):
                return
            time.sleep(0.005)

    def kill(self, service: Service) -> None:
        """End a service at once: the master first, so that it starts no new worker; wait until all of them are gone."""
        found = processes.master(service.pid_file)
        if found is None:
            return
        family = [found, *processes.children(found.pid)]
        for one in family:
            try:
                os.kill(one.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until = time.monotonic() + 5
        while any(processes.running(one.pid) == one for one in family) and time.monotonic() < until:
            time.sleep(0.01)

    def write(self, path: str, text: str) -> str:
        """Write a file below the prefix (``etc/nginx/conf.d/x.conf``), its folders too; return its absolute path."""
        file = Path(self.prefix, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def path(self, path: str) -> str:
        """Absolute path of something below the prefix."""
        return f"{self.prefix}/{path}"

    def remove(self, path: str) -> None:
        """Remove a file below the prefix."""
        os.unlink(self.path(path))

    def get(self, path: str = "/", host: str = "", timeout: float = 10.0) -> Answer:
        """GET a page through nginx."""
        return self.machine.request(self.probe(path, host=host, timeout=timeout))

    def probe(self, path: str = "/", **fields: object) -> Probe:
        """An HTTP probe of a page of this nginx."""
        return replace(Probe("http", url=f"http://127.0.0.1:{self.port}{path}"), **fields)  # type: ignore[arg-type]

    def write_site(self, marker: str = "one", address: str = "", name: str = "site", port: int = 0) -> str:
        """Write a site: the answer of ``/``, the FastCGI address of its PHP pages (default: that of pool ``www``)."""
        text = SITE_CONF.format(
            prefix=self.prefix, port=port or self.port, marker=marker, address=address or f"unix:{self.php.socket}"
        )
        return self.write(f"etc/nginx/conf.d/{name}.conf", text)

    def pool(self, name: str = "www", listen: str = "", more: str = "") -> str:
        """The text of a pool file; ``more`` goes to its end."""
        user = "user = www-data\ngroup = www-data\n" if os.geteuid() == 0 else ""
        return POOL_CONF.format(name=name, user=user, listen=listen or self.php.socket) + more

    def write_pool(self, name: str = "www", listen: str = "", more: str = "") -> str:
        """Write a pool file ``NAME.conf``."""
        return self.write(f"{self.pool_folder}/{name}.conf", self.pool(name, listen, more))

    @property
    def pool_folder(self) -> str:
        """Folder of the pool files, below the prefix."""
        return f"etc/php/{self.php.version}/fpm/pool.d"

    def log(self, service: Service) -> List[str]:
        """Lines of a service's error log."""
        return Path(service.error_log).read_text(errors="replace").splitlines()

    def _write_all(self) -> None:
        for folder in FOLDERS:
            Path(self.prefix, folder).mkdir(parents=True)
        user = "user www-data;\n" if os.geteuid() == 0 else ""
        self.write("etc/nginx/nginx.conf", NGINX_CONF.format(prefix=self.prefix, user=user))
        self.write(
            f"etc/php/{self.php.version}/fpm/php-fpm.conf", FPM_CONF.format(prefix=self.prefix, version=self.php.version)
        )
        self.write("var/www/html/page.php", PAGE)
        self.write_site()
        self.write_pool()
