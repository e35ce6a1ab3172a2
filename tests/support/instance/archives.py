"""Where Debian's and Ubuntu's packages come from on this machine: the archives that /etc/apt names."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

SIGNERS = {  # Origin of a release: its keyring and the parts of the archive that hold nginx and php-fpm
    "Debian": ("/usr/share/keyrings/debian-archive-keyring.gpg", "main"),
    "Ubuntu": ("/usr/share/keyrings/ubuntu-archive-keyring.gpg", "main,universe"),
}


class NoArchive(Exception):
    """No archive that has the suite can be reached from here, or there is nothing to check its signature with."""


class Archive(NamedTuple):
    """An archive that has the suite: its address, the keyring that proves it, the components to use."""

    url: str
    keyring: str
    components: str


def find(suite: str) -> Archive:
    """The first archive of /etc/apt, or ``$DEPLOYKIT_MIRROR``, that has the suite. Raises NoArchive."""
    named = os.environ.get("DEPLOYKIT_MIRROR")
    urls = [named.rstrip("/")] if named else _urls()
    for url in urls:
        origin = _origin(url, suite)
        if origin not in SIGNERS:
            continue
        keyring, components = SIGNERS[origin]
        if not Path(keyring).exists():
            raise NoArchive(f"{suite} comes from {origin}, and {keyring} is not there to check it with")
        return Archive(url, keyring, components)
    raise NoArchive(f"no archive of /etc/apt that can be reached has {suite} ({', '.join(urls) or 'none is named there'})")


def proxies() -> Dict[str, str]:
    """apt's own proxies, for programs that ask the environment: ``{"http_proxy": ...}``."""
    words = {"http_proxy": "Acquire::http::Proxy", "https_proxy": "Acquire::https::Proxy"}
    told = {
        name: subprocess.run(
            ["apt-config", "dump", "--format", "%v%n", word], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name, word in words.items()
    }
    return {name: value for name, value in told.items() if value not in ("", "DIRECT") and name not in os.environ}


def _origin(url: str, suite: str) -> str:
    named = {name.partition("_")[0]: value for name, value in proxies().items()}
    opener = build_opener(ProxyHandler(named)) if named else build_opener()
    try:
        with opener.open(f"{url}/dists/{suite}/InRelease", timeout=20) as answer:
            found = re.search(r"^Origin: *(\S+)", answer.read(4096).decode("utf-8", "replace"), re.MULTILINE)
    except (URLError, OSError):
        return ""
    return found[1] if found else ""


def _urls() -> List[str]:
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    found = [url.rstrip("/") for path in files if path.is_file() for url in _named_in(path)]
    return list(dict.fromkeys(url for url in found if url.startswith(("http://", "https://"))))


def _named_in(path: Path) -> Iterator[str]:
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8", errors="replace"))
    if path.suffix == ".list":
        yield from re.findall(r"^\s*deb\s+(?:\[[^]]*\]\s*)?(\S+)", text, re.MULTILINE)
    elif path.suffix == ".sources":
        for stanza in re.split(r"\n[ \t]*\n", text):
            if not re.search(r"^Enabled:\s*(no|false|off)", stanza, re.MULTILINE | re.IGNORECASE):
                for line in re.findall(r"^URIs:((?:.*\n?)(?:[ \t]+\S.*\n?)*)", stanza, re.MULTILINE | re.IGNORECASE):
                    yield from line.split()
