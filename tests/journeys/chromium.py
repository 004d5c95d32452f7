"""A real browser for tests, driven over a pipe in its own protocol, so that nothing but Chromium is needed.

The protocol: https://chromedevtools.github.io/devtools-protocol/. Messages are JSON, each ended by a zero byte; the
browser reads descriptor 3 and writes descriptor 4.
"""

from __future__ import annotations

import base64
import io
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
)
# The browser wants its pipes as descriptors 3 and 4; a small program in between puts them there.
_LAUNCH = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]
for ours_fd, its_fd in zip(ours, (3, 4)):
    os.dup2(ours_fd, its_fd)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_OVER = (
    ".bar, #legend, #said, #pen, #edge, #map, #ruler, #pad, #named, #views-sheet, "
    "#marks, #pins, #sides, #cube, #panel, #slices, #note"
)
_HIDE = f"for (const e of document.querySelectorAll('{_OVER}')) e.style.visibility = 'hidden'"

Pixels = NDArray[np.float64]

KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "PageUp": 33, "PageDown": 34, "Tab": 9}


def find() -> str | None:
    """Where Chromium is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("UNFLAT_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One running Chromium; ``events`` are everything it said that was no answer."""

    def __init__(self, process: subprocess.Popen[bytes], write_fd: int, read_fd: int) -> None:
        self.process, self.write_fd, self.read_fd = process, write_fd, read_fd
        self.events: list[dict[str, Any]] = []
        self._buffer = b""
        self._last = 0

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_fd, data) :]
        while True:
            answer = self._receive(60)
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self.read_fd], [], [], max(0, until - time.monotonic()))
            chunk = os.read(self.read_fd, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError(f"the browser is silent (exit code {self.process.poll()})")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


class Page:
    """One tab. Asking it for anything that is not local is noted in ``requests``, its console in ``console``."""

    def __init__(
        self, browser: Browser, *, width: int, height: int, dark: bool = False, still: bool = True, phone: bool = False
    ) -> None:
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.context = context
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Network.setCacheDisabled", cacheDisabled=True)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        if phone:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=5)
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        self.call("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in features.items()])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the tab."""
        return self.browser.call(method, self.session, **params)

    def close(self) -> None:
        """Forget the tab and all it kept."""
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    def before_load(self, script: str) -> None:
        """Run ``script`` before anything of the page."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, url: str) -> None:
        """Go there, and wait until the viewer has drawn or given up."""
        self.call("Page.navigate", url=url)
        self.wait("document.querySelector('#view')?.dataset.state in {ready: 1, failed: 1}")

    def reload(self) -> None:
        """Load the page anew, and wait until the viewer has drawn."""
        self.js("void (window.wasHere = true)")
        self.call("Page.reload")
        for _ in range(400):
            try:
                if self.js("!window.wasHere && document.querySelector('#view')?.dataset.state === 'ready'"):
                    return
            except RuntimeError as error:
                if "navigated or closed" not in str(error):  # the page it asked is just being replaced
                    raise
            time.sleep(0.1)
        raise TimeoutError("the page did not come back")

    def js(self, expression: str) -> Any:
        """The value of an expression; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 40) -> None:
        """Until ``condition`` is true in the page."""
        until = time.monotonic() + seconds
        while not self.js(f"!!({condition})"):
            if time.monotonic() > until:
                raise TimeoutError(f"never true: {condition}")
            time.sleep(0.03)

    def settle(self) -> None:
        """Until nothing moves any more and two frames were shown."""
        self.js("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
        self.wait("document.querySelector('#view').dataset.moving !== 'true'")

    def key(self, key: str, times: int = 1, *, shift: bool = False) -> None:
        """Press and let go."""
        code = KEYS.get(key, ord(key[0].upper()))
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        for _ in range(times):
            self.call("Input.dispatchKeyEvent", type="keyDown", **common)
            self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settle()

    def hold(self, code: str, until: str, seconds: float = 40) -> None:
        """Hold a key, named by its place on the keyboard, until ``until`` is true in the page."""
        common = {"code": code, "windowsVirtualKeyCode": KEYS.get(code, ord(code[-1]))}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common)
        try:
            self.wait(until, seconds)
        finally:
            self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settle()

    def click(self, x: float, y: float) -> None:
        """Press and let go at one place."""
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)
        self.settle()

    def mouse(self, kind: str, x: float, y: float, *, button: str = "left", held: bool = False, **more: Any) -> None:
        """One mouse event: mousePressed, mouseMoved, mouseReleased, mouseWheel."""
        count = 0 if kind in ("mouseMoved", "mouseWheel") else 1
        down = {"left": 1, "right": 2}[button] if held or kind == "mousePressed" else 0
        which = button if count or held else "none"
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=which, buttons=down, clickCount=count, **more)

    def state(self, name: str) -> str:
        """What the viewer says of itself: state, mode, offset, radius, zoom, limited."""
        return self.js(f"document.querySelector('#view').dataset.{name}")

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    @property
    def console(self) -> list[str]:
        """Everything that was written to the console, with uncaught errors and the browser's own remarks."""
        self.js("0")
        out = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            params = event["params"]
            if event["method"] == "Runtime.consoleAPICalled":
                out.append(f"{params['type']}: {[a.get('value', a.get('description')) for a in params['args']]}")
            elif event["method"] == "Runtime.exceptionThrown":
                out.append(f"exception: {params['exceptionDetails']}")
            elif event["method"] == "Log.entryAdded":
                out.append(f"{params['entry']['level']}: {params['entry']['text']}")
        return out

    @property
    def requests(self) -> list[str]:
        """Every address that was asked for."""
        self.js("0")
        return [
            event["params"]["request"]["url"]
            for event in self.browser.events
            if event.get("sessionId") == self.session and event["method"] == "Network.requestWillBeSent"
        ]


@contextmanager
def running(executable: str) -> Iterator[Browser]:
    """Start Chromium with an empty profile, and end it."""
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(prefix="unflat-chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _LAUNCH,
                str(to_browser),
                str(from_browser),
                executable,
                *FLAGS,
                f"--user-data-dir={Path(profile) / 'profile'}",
                "about:blank",
            ],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        browser = Browser(process, from_us, to_us)
        try:
            yield browser
            browser.call("Browser.close")
        finally:
            os.close(from_us)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(to_us)


@contextmanager
def wanted() -> Iterator[Browser]:
    """The same for a test: skips where there is no Chromium, and fails there if UNFLAT_CI=1."""
    found = find()
    if found is None:
        if os.environ.get("UNFLAT_CI") == "1":
            pytest.fail("UNFLAT_CI=1, and there is no Chromium")
        pytest.skip("Chromium is not here (Debian: apt-get install chromium; or set UNFLAT_CHROMIUM)")
    with running(found) as browser:
        yield browser


def seen(page: Page) -> Pixels:
    """What the canvas shows, (h, w, 3) in 0..255, without buttons and words."""
    page.js(_HIDE)
    page.settle()
    shot = Picture.open(io.BytesIO(page.picture())).convert("RGB")
    page.js(_HIDE.replace("hidden", "visible"))
    return np.asarray(shot, dtype=np.float64)


def apart(a: Pixels, b: Pixels) -> float:
    """Mean absolute difference."""
    return float(np.abs(a - b).mean())


def offset(page: Page) -> float:
    """Metres between the viewpoint and the photograph's."""
    return float(page.state("offset"))
