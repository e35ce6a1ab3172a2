"""The record: which live files are ours, and what was in them when they were proved."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Mapping

from deploykit import __version__
from deploykit.model import Target

VERSION = 1


@dataclass(frozen=True)
class Owned:
    """A file that a revision put there."""

    service: str
    template: str
    sha256: str


@dataclass(frozen=True)
class Record:
    """files: live path -> what we know of it. worker_mb: the most that a php-fpm worker was ever seen to cost here."""

    environment: str = ""
    worker_mb: int = 0
    files: Mapping[str, Owned] = field(default_factory=dict)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def dump(environment: str, targets: tuple[Target, ...], worker_mb: int) -> bytes:
    files = {t.path: {"service": t.service, "template": t.template, "sha256": digest(t.content)} for t in targets}
    body = {"record": VERSION, "deploykit": __version__, "environment": environment, "worker_mb": worker_mb, "files": files}
    return json.dumps(body, sort_keys=True).encode() + b"\n"


def parse(content: bytes) -> Record:
    """A record of this or another version; one that cannot be read counts as none, since it only ever adds removals."""
    try:
        body = json.loads(content)
        files = {
            str(path): Owned(str(entry.get("service", "")), str(entry.get("template", "")), str(entry["sha256"]))
            for path, entry in body["files"].items()
        }
        return Record(str(body.get("environment", "")), int(body.get("worker_mb", 0)), files)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Record()
