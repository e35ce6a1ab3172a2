"""The job: N sites with 48 variables each, and the 2N+1 files that they must become."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from typing import Any, Mapping, Tuple

import jinja2

from harness.layout import TEMPLATES, Layout, account

DEFAULTS: Mapping[str, Any] = {
    "description": "one of many sites on this machine",
    "listen_options": "",
    "index": "index.php",
    "charset": "utf-8",
    "log_buffer": "32k",
    "log_flush": "5s",
    "client_max_body_size": "16m",
    "client_body_timeout": "30s",
    "send_timeout": "30s",
    "keepalive_timeout": "20s",
    "gzip": "on",
    "gzip_min_length": 1024,
    "frame_options": "SAMEORIGIN",
    "referrer_policy": "strict-origin-when-cross-origin",
    "rate_limit": True,
    "rate_burst": 40,
    "redirect_from": "/old",
    "redirect_status": 301,
    "static_path": "assets",
    "static_expires": "7d",
    "fastcgi_connect_timeout": "5s",
    "fastcgi_read_timeout": "60s",
    "fastcgi_send_timeout": "60s",
    "fastcgi_buffers": "16 16k",
    "fastcgi_buffer_size": "32k",
    "socket_mode": "0660",
    "idle_timeout": "10s",
    "max_requests": 500,
    "terminate_timeout": "65s",
    "catch_output": "yes",
    "ping_path": "/ping",
    "app_env": "production",
    "memory_limit": "128M",
    "upload_max": "16M",
    "post_max": "18M",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Job:
    """shared: the variables that every template sees; sites: one mapping of 48 keys per site."""

    shared: Mapping[str, Any]
    sites: Tuple[Mapping[str, Any], ...]


def make_job(layout: Layout, count: int, port: int) -> Job:
    """The job for ``count`` sites behind one loopback port."""
    team = grp.getgrgid(pwd.getpwnam(account()).pw_gid).gr_name
    shared = {"base": layout.root, "account": account(), "team": team, "workers": 2, "port": port}
    return Job(shared, tuple(make_site(layout.root, number) for number in range(1, count + 1)))


def make_site(root: str, number: int) -> Mapping[str, Any]:
    """One site: the defaults and what is its own."""
    name = f"site{number:04d}"
    own = {
        "name": name,
        "server_name": f"{name}.example.com",
        "server_alias": f"www.{name}.example.com",
        "docroot": f"{root}/srv/{name}",
        "access_log": f"{root}/var/log/nginx/{name}.access.log",
        "redirect_to": f"https://{name}.example.com/new",
        "rate_limit": number % 3 != 0,
        "socket": f"{root}/run/php/{name}.sock",
        "max_children": 4 + number % 8,
        "app_url": f"https://{name}.example.com/",
        "db_host": f"db{number % 4}.example.com",
        "db_password": f"not-a-secret-{number * 7919}",
        "php_error_log": f"{root}/var/log/php/{name}.log",
    }
    return {**DEFAULTS, **own}


def with_site(job: Job, number: int, **changes: Any) -> Job:
    """The same job with some variables of one site changed; sites count from 1."""
    sites = list(job.sites)
    sites[number - 1] = {**sites[number - 1], **changes}
    return Job(job.shared, tuple(sites))


def wanted(job: Job, layout: Layout) -> Mapping[str, bytes]:
    """What the files must be in the end, by absolute path."""
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(os.path.join(TEMPLATES, "jinja")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    files = {f"{layout.nginx}/nginx.conf": engine.get_template("nginx.conf.j2").render(job.shared)}
    for folder, template in ((f"{layout.nginx}/conf.d", "vhost.conf.j2"), (f"{layout.fpm}/pool.d", "pool.conf.j2")):
        render = engine.get_template(template).render
        files.update({f"{folder}/{site['name']}.conf": render(job.shared, site=site) for site in job.sites})
    return {path: text.encode() for path, text in files.items()}
