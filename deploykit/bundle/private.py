"""Files that look like secrets: a revision lies in a bucket, on every instance, and among the pipeline's artifacts."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Iterable, Iterator

from deploykit.bundle.entry import Entry
from deploykit.bundle.ignore import Patterns
from deploykit.errors import Location
from deploykit.model import Finding

# name: what it commonly holds
NAMES = {
    ".env": "settings and passwords of an environment",
    ".env.*": "settings and passwords of an environment",
    "id_rsa": "a private SSH key",
    "id_dsa": "a private SSH key",
    "id_ecdsa": "a private SSH key",
    "id_ed25519": "a private SSH key",
    "*.key": "a private key",
    "*.ppk": "a private SSH key",
    "*.p12": "a private key",
    "*.pfx": "a private key",
    "*.jks": "private keys",
    "*.keystore": "private keys",
    "*.kdbx": "passwords",
    "credentials": "keys of AWS or another service",
    "credentials.[cijtxy]*": "keys of a service",  # csv, ini, json, txt, xml, yml; credentials.php and .rb are code
    "*.credentials": "keys of a service",
    ".git-credentials": "passwords of repositories",
    ".netrc": "passwords of machines",
    "_netrc": "passwords of machines",
    ".pgpass": "passwords of databases",
    ".my.cnf": "passwords of databases",
    ".npmrc": "the token of a package registry",
    ".pypirc": "the token of a package registry",
    ".dockercfg": "the token of an image registry",
    "auth.json": "Composer's tokens and passwords",
    ".htpasswd": "password hashes",
    ".vault-pass": "the password of a vault",
    ".vault_pass": "the password of a vault",
    "*.tfstate": "everything that Terraform knows, secrets included",
    "*.tfvars": "variables of Terraform",
}
FOLDERS = {".ssh": "keys", ".aws": "keys of AWS", ".gnupg": "private keys"}
_HARMLESS = (".example", ".sample", ".dist", ".template", ".tpl", ".tmpl", ".enc", ".js", ".ts", ".tsx", ".jsx")
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_MAY_HOLD_KEYS = (".pem", ".crt", ".cer", ".cert")
_LARGEST = 1 << 20  # bytes; a file of keys is smaller


def findings(entries: Iterable[Entry], allowed: Patterns) -> Iterator[Finding]:
    """One for each file that looks like a secret and is not allowed by name."""
    for entry in entries:
        what = _what(entry)
        if what and not allowed.match(entry.path):
            hint = f"keep it out by .deployignore, or if it is none: --allow {entry.path}"
            yield Finding("bundle-secret", "error", f"such a file commonly holds {what}", Location(entry.path), hint)


def _what(entry: Entry) -> str:
    *folders, name = entry.path.lower().split("/")
    for folder in folders:
        if folder in FOLDERS:
            return FOLDERS[folder]
    if name.endswith(_HARMLESS):
        return ""
    by_name = next((what for pattern, what in NAMES.items() if fnmatchcase(name, pattern)), "")
    if not by_name and name.endswith(_MAY_HOLD_KEYS) and entry.size <= _LARGEST and _PRIVATE_KEY.search(entry.read()):
        return "a private key"
    return by_name
