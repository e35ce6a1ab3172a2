"""A git repository with a small bundle in it, to be changed and compared."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path
from typing import Dict

SMALL: Dict[str, str] = {
    "deploykit.yml": """\
version: 1
services:
  php-fpm: {user: www-data}
variables: {port: 8080, workers: 4, db_password: "first-secret"}
environments:
  staging: {variables: {workers: 2}}
  production: {file: environments/production.yml}
secrets: [db_password]
""",
    "environments/production.yml": "workers: 16\n",
    "config_templates/nginx/nginx.conf.j2": "events {}\nhttp { include {{ nginx.root }}/conf.d/*.conf; }\n",
    "config_templates/nginx/conf.d/site.conf.j2": """\
server {
    listen {{ port }};
    root /var/www/html;
    location / {
        try_files $uri =404;
    }
}
""",
    "config_templates/php-fpm/php-fpm.conf.j2": """\
[global]
process_control_timeout = 10s
include = {{ php_fpm.root }}/pool.d/*.conf
""",
    "config_templates/php-fpm/pool.d/site.conf.j2": """\
[site]
user = {{ php_fpm.user }}
listen = {{ php_fpm.run }}/site.sock
pm = static
pm.max_children = {{ workers }}
env[DB_PASSWORD] = {{ db_password | fpm_quote(env=true) }}
""",
}
_AS = (
    "-c",
    "user.name=Test",
    "-c",
    "user.email=test@example.com",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "core.hooksPath=/dev/null",
)

_NUMBERS = itertools.count()  # else two commits of one second could be the same


class Repository:
    """A folder under git, on the branch ``main``, with the small bundle committed."""

    def __init__(self, folder: Path, below: str = "") -> None:
        self.top = folder
        self.folder = folder / below
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        for name, text in SMALL.items():
            self.write(name, text)
        self.first = self.commit()

    def git(self, *words: str) -> str:
        """What git says; it must succeed."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.top), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *_AS, *words], cwd=self.top, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that is there."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new))

    def commit(self) -> str:
        """Everything, as one commit; its hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"commit {next(_NUMBERS)}")
        return self.git("rev-parse", "HEAD")
