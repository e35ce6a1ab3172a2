"""The program with something happening just before one of its changes: ``fault.py BUNDLE WHEN SHELL ARGUMENT...``.

WHEN is the beginning of what a change is called, its method and its words: ``rename``, ``command systemctl reload nginx``;
``rename#3`` is the third such one. SHELL is what happens there, once, as text for sh; $PPID is the program.
Runs in the instance, by ``python3 -I -S``, on the bundle's own run.py.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any, Callable

BUNDLE, WHEN, SHELL = sys.argv[1:4]
CHANGING = ("make_folder", "remove_folder", "write_new", "rename", "remove", "link", "append", "sync", "command", "signal")
CALLED, _, NUMBER = WHEN.partition("#")

sys.path.append(BUNDLE)
import run  # noqa: E402  # the bundle's launcher

run.speak_utf8()
run.find_libraries(BUNDLE)

from deploykit.cli import main  # noqa: E402
from deploykit.system.real import RealMachine  # noqa: E402


class Surprised(RealMachine):
    """A machine on which something else happens too."""

    left = int(NUMBER or 1)

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return surprised(found) if name in CHANGING else found


def surprised(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapped(*given: Any, **named: Any) -> Any:
        if f"{call.__name__} {_words(given)}".startswith(CALLED):
            Surprised.left -= 1
            if Surprised.left == 0:
                subprocess.run(["sh", "-c", SHELL], check=True, stdin=subprocess.DEVNULL)
        return call(*given, **named)

    return wrapped


def _words(given: tuple[Any, ...]) -> str:
    first = given[0] if given else ""
    return first if isinstance(first, str) else " ".join(map(str, first)) if isinstance(first, (list, tuple)) else ""


if __name__ == "__main__":
    status = main(sys.argv[4:], bundle=BUNDLE, door=Surprised)
    if Surprised.left > 0:
        print(f"fault.py: nothing was called {WHEN}")
    sys.exit(status)
