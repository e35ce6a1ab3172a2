"""A server that says one prepared thing to whoever connects: for answers that no real service gives on demand."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import Iterator, Optional, Tuple

LOOPBACK = ("127.0.0.1", 0)


@contextmanager
def saying(
    answer: bytes, listen: object = LOOPBACK, hold: bool = False, family: Optional[int] = None
) -> Iterator[Tuple[str, list[bytes]]]:
    """``(address, requests)`` of a server that reads once, sends ``answer`` and hangs up; ``hold``: never hangs up.

    listen: (host, port), or a path for a Unix socket; the address comes back as ``host:port`` or ``unix:path``.
    """
    kind = socket.AF_UNIX if isinstance(listen, str) else socket.AF_INET
    server = socket.socket(kind if family is None else family, socket.SOCK_STREAM)
    server.bind(listen)  # type: ignore[arg-type]
    server.listen()
    requests: list[bytes] = []
    ended = threading.Event()
    serving = threading.Thread(target=_serve, args=(server, answer, requests, ended, hold))
    serving.start()
    name = server.getsockname()
    try:
        yield (f"unix:{name}" if isinstance(name, str) else f"{name[0]}:{name[1]}"), requests
    finally:
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        serving.join()
        server.close()


def _serve(server: socket.socket, answer: bytes, requests: list[bytes], ended: threading.Event, hold: bool) -> None:
    while not ended.is_set():
        try:
            wire, _ = server.accept()
        except OSError:
            return
        with wire:
            requests.append(wire.recv(65536))
            try:
                wire.sendall(answer)
            except OSError:
                continue
            if hold:
                ended.wait()
