"""The same job in the form that each contender reads: YAML, shell variables, a bundle of deploykit's."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import Any, Mapping

import yaml

from harness.job import Job
from harness.layout import TEMPLATES

HIERA = "version: 5\nhierarchy: [{name: job, path: data.yml, data_hash: yaml_data}]\ndefaults: {datadir: .}\n"


def write_input(job: Job, folder: str) -> None:
    """Write ``data.yml`` ``hiera.yml`` ``env/`` and deploykit's ``deploykit.yml`` ``config_templates/`` into ``folder``."""
    os.makedirs(os.path.join(folder, "env"))
    _write(os.path.join(folder, "data.yml"), _yaml({**job.shared, "sites": [dict(site) for site in job.sites]}))
    _write(os.path.join(folder, "hiera.yml"), HIERA)
    _write(os.path.join(folder, "env/shared.env"), _shell(job.shared))
    for site in job.sites:
        _write(os.path.join(folder, f"env/{site['name']}.env"), _shell(site))
    write_bundle(job, folder)


def write_bundle(job: Job, folder: str) -> None:
    """A revision for deploykit: its file, the Jinja templates and one probe through nginx and php-fpm."""
    templates = {"nginx.conf.j2": "nginx/nginx.conf.j2", "vhost.conf.j2": "nginx/conf.d/site.conf.j2",
                 "pool.conf.j2": "php-fpm/pool.d/site.conf.j2"}  # fmt: skip
    for source, target in templates.items():
        path = os.path.join(folder, "config_templates", target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(os.path.join(TEMPLATES, "jinja", source), path)
    _write(os.path.join(folder, "deploykit.yml"), _yaml(_settings(job)))
    _write(os.path.join(folder, "appspec.yml"), "version: 0.0\nos: linux\n")


def _settings(job: Job) -> Mapping[str, Any]:
    each = {"each": "sites", "item": "site"}
    first = job.sites[0]["server_name"]
    probe = {"url": f"http://127.0.0.1:{job.shared['port']}/", "host": first, "expect": 200, "body": "site0001"}
    return {
        "variables": {**job.shared, "sites": [dict(site) for site in job.sites]},
        "environments": {"bench": {"groups": ["bench"]}},
        "files": {
            "nginx/conf.d/site.conf.j2": {**each, "to": "nginx/conf.d/{{ site.name }}.conf"},
            # 0644 as the job says; by itself deploykit gives a file with a secret in it 0640
            "php-fpm/pool.d/site.conf.j2": {**each, "to": "php-fpm/pool.d/{{ site.name }}.conf", "mode": "0644"},
        },
        "probes": [{"http": probe}],
    }


def _yaml(document: Mapping[str, Any]) -> str:
    return str(yaml.dump(document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, width=1000))


def _shell(variables: Mapping[str, Any]) -> str:
    return "".join(f"export {name}={shlex.quote(_plain(value))}\n" for name, value in variables.items())


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
