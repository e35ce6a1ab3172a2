"""A small load: threads that ask for pages, one connection each, and write down the fate of every single request."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from typing import Counter as Counts
from typing import List, Tuple

# (path, text that must be in the body, threads, pause in seconds after each request)
PAGES = (
    ("/busy.php", b"busy ok", 6, 0.0),
    ("/", b"</html>", 3, 0.01),
    ("/assets/app.css", b"border-bottom", 3, 0.01),
)


def ask(port: int, path: str, expected: bytes, timeout: float = 20.0) -> str:
    """One request on a connection of its own. Its fate: ``ok``, or what went wrong."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{path}: {type(error).__name__}"
    finally:
        connection.close()
    if answer.status != http.client.OK:
        return f"{path}: status {answer.status}"
    return "ok" if expected in body else f"{path}: another body"


class Load:
    """Used as ``with Load(port) as load:``; afterwards ``load.fates`` counts them and ``load.slowest`` is in seconds."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.fates: Counts[str] = Counter()
        self.slowest = 0.0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads: List[threading.Thread] = []

    def __enter__(self) -> Load:
        for path, expected, count, pause in PAGES:
            for _ in range(count):
                thread = threading.Thread(target=self._go_on, args=((path, expected), pause), daemon=True)
                thread.start()
                self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, page: Tuple[str, bytes], pause: float) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            fate = ask(self.port, *page)
            took = time.monotonic() - start
            with self._lock:
                self.fates[fate] += 1
                self.slowest = max(self.slowest, took)
            self._over.wait(pause)

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return sum(self.fates.values())

    @property
    def failed(self) -> int:
        """How many of them did not get the whole right answer."""
        return self.requests - self.fates["ok"]

    def __str__(self) -> str:
        bad = ", ".join(f"{count} x {fate}" for fate, count in sorted(self.fates.items()) if fate != "ok")
        return f"{self.requests} requests, {self.failed} failed, slowest {self.slowest * 1000:.0f} ms" + (
            f" ({bad})" if bad else ""
        )
