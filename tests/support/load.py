"""Ask a URL over and over from several connections at a time, in a program of its own, and count what came back.

``with Load(url, connections=8) as load: ...`` and then ``load.answers`` and ``load.failures`` (what went wrong: how often).
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Dict, Optional, Type
from urllib.parse import urlsplit


class Load:
    """A client program that runs as long as the block, with a new connection for each request."""

    def __init__(self, url: str, connections: int = 8, expect: str = "") -> None:
        self.answers = 0
        self.failures: Dict[str, int] = {}
        self._argv = [sys.executable, __file__, url, str(connections), expect]

    def __enter__(self) -> Load:
        self._client = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._client.stdout is not None
        assert self._client.stdout.readline() == "asking\n"
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        told, _ = self._client.communicate("", timeout=60)  # the end of its stdin ends it
        counts = json.loads(told)
        self.answers = counts.pop("good", 0)
        self.failures = counts


def ask_until(ended: threading.Event, url: str, expect: bytes, counts: Counter[str]) -> None:
    parts = urlsplit(url)
    while not ended.is_set():
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            response = connection.getresponse()
            body = response.read()
            good = response.status == 200 and expect in body
            counts["good" if good else f"{response.status} {body[:40]!r}"] += 1
        except (OSError, HTTPException) as error:
            counts[f"{type(error).__name__} {error}"] += 1
        finally:
            connection.close()


def main(url: str, connections: str, expect: str) -> None:
    counts: Counter[str] = Counter()
    ended = threading.Event()
    clients = [threading.Thread(target=ask_until, args=(ended, url, expect.encode(), counts)) for _ in range(int(connections))]
    for client in clients:
        client.start()
    while not counts:
        time.sleep(0.01)
    print("asking", flush=True)
    sys.stdin.read()
    ended.set()
    for client in clients:
        client.join()
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
