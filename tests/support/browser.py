"""A real Chromium without a window, driven over a pipe: no port, no driver, no library.

with Browser() as browser:
    browser.open(path, width=390); browser.ask("document.title"); browser.press("ArrowRight"); browser.screenshot(path)
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
SECONDS = 60.0
# Keys are told by name and by number; without the number Chromium does not move.
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Tab": 9, " ": 32}


def program() -> Optional[str]:
    """Where Chromium is; None when it is not installed."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def axe() -> Optional[Path]:
    """axe-core's script, as ``npm install axe-core`` puts it below the checkout or below build/browser."""
    top = Path(__file__).resolve().parent.parent.parent
    places = [top / below / "node_modules/axe-core/axe.min.js" for below in (".", "build/browser")]
    given = os.environ.get("AXE_CORE")
    return next((place for place in [*([Path(given)] if given else []), *places] if place.is_file()), None)


class Browser:
    """One browser with one page; it opens files only."""

    def __enter__(self) -> Browser:
        self._home = tempfile.mkdtemp(prefix="dk-browser-", dir="/tmp")
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        words = [str(program()), *ARGUMENTS, f"--user-data-dir={self._home}/profile", "about:blank"]
        inherited = [os.dup2(their_in, 103), os.dup2(their_out, 104)]

        def place() -> None:
            os.dup2(103, 3)
            os.dup2(104, 4)

        self._child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,  # noqa: PLW1509  a test starts no threads before
            pass_fds=(3, 4),
            start_new_session=True,
            env={**os.environ, "HOME": self._home},
        )
        for descriptor in (their_in, their_out, *inherited):
            os.close(descriptor)
        self._rest, self._number, self._session = b"", 0, ""
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._send("Page.enable")
        self._send("Emulation.setScrollbarsHidden", hidden=True)
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._home, ignore_errors=True)

    def open(self, path: Path, width: int = 1280, height: int = 900, scheme: str = "light", anchor: str = "") -> None:
        """Show a file in a window of this size, and wait until it is there."""
        self.resize(width, height)
        self._send("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._send("Page.navigate", url="about:blank")
        self._send("Page.navigate", url=path.as_uri() + anchor)
        self._wait(f"document.readyState === 'complete' && location.href.startsWith({path.as_uri()!r})")

    def resize(self, width: int, height: int = 900) -> None:
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, kind: str) -> None:
        """``print`` or ``screen``."""
        self._send("Emulation.setEmulatedMedia", media=kind)

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript, promises awaited."""
        answer = self._send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        number, text = KEYS[key], {"text": " "} if key == " " else {}
        self._send("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=number, **text)
        self._send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=number)

    def screenshot(self, path: Path) -> None:
        """The whole page, also what is below the window's end."""
        image = self._send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(image))

    def paper(self, path: Path) -> None:
        """The page as it is printed, as PDF."""
        path.write_bytes(base64.b64decode(self._send("Page.printToPDF", printBackground=False)["data"]))

    def judge(self, script: Path) -> Sequence[str]:
        """What axe-core has against the page: rule and the elements that break it."""
        self.ask(script.read_text(encoding="utf-8") + ";0")
        found = self.ask("axe.run().then(r => r.violations)")
        return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]

    def _wait(self, expression: str) -> None:
        until = time.monotonic() + SECONDS
        while not self.ask(expression):
            if time.monotonic() > until:
                raise AssertionError(f"it never came true: {expression}")
            time.sleep(0.02)

    def _send(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message: Dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        with os.fdopen(os.dup(self._out), "wb") as pipe:
            pipe.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def _receive(self) -> Dict[str, Any]:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], max(until - time.monotonic(), 0))[0]:
                raise AssertionError("the browser does not answer")
            some = os.read(self._in, 1 << 20)
            if not some:
                raise AssertionError("the browser has ended")
            self._rest += some
        first, _, self._rest = self._rest.partition(b"\0")
        answer: Dict[str, Any] = json.loads(first)
        return answer
