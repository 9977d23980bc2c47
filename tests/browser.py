"""A headless Chromium for tests, driven over the DevTools protocol's pipe: no driver, no port, no package."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import tempfile
import time
from itertools import count

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless --remote-debugging-pipe --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
    "--disable-quic --hide-scrollbars --disable-background-networking --disable-component-update "
    "--disable-sync --disable-extensions --mute-audio"
)
SETTLED = """
new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))
    .then(() => Promise.all([document.fonts.ready, window.MathJax?.startup?.promise]))
    .then(() => new Promise(done => setTimeout(done, 50)))  // scripts deferred past the load event
    .then(() => 0)
"""


def find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """``with Browser(path) as browser: events = browser.open(url, width)``."""

    def __init__(self, executable: str, patience: float = 60):
        self._patience = patience  # seconds until an answer
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        there, self._write = os.pipe()
        self._read, here = os.pipe()
        log = os.path.join(self._profile, "stderr.log")
        self._pid = os.posix_spawn(
            executable,
            [executable, *FLAGS.split(), f"--user-data-dir={self._profile}", "about:blank"],
            os.environ,
            file_actions=[  # the protocol's descriptors: 3 to read from, 4 to write to
                (os.POSIX_SPAWN_DUP2, there, 103),
                (os.POSIX_SPAWN_DUP2, here, 104),
                (os.POSIX_SPAWN_DUP2, 103, 3),
                (os.POSIX_SPAWN_DUP2, 104, 4),
                (os.POSIX_SPAWN_CLOSE, 103),
                (os.POSIX_SPAWN_CLOSE, 104),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT, 0o600),
            ],
            setpgroup=0,
        )
        os.close(there)
        os.close(here)
        self._ids = count(1)
        self._buffer = b""
        self._events: list[dict] = []
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters) -> dict:
        """Send a command and return its result; events that come meanwhile are kept."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._events.append(answer)

    def _receive(self) -> dict:
        deadline = time.monotonic() + self._patience
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self._read, 1 << 16) if ready else b""
            if not data:
                raise RuntimeError("the browser closed its pipe" if ready else f"no answer in {self._patience} s")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def resize(self, width: int, height: int = 1000) -> None:
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def open(self, url: str, width: int, dark: bool = False) -> list[dict]:
        """Load a page, let its scripts, fonts and formulas settle, and return all events since."""
        self.resize(width)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._events.clear()
        self.call("Page.navigate", url=url)
        for _ in range(5):
            try:
                self.evaluate(SETTLED)
                break
            except RuntimeError as error:
                if "navigated" not in str(error):  # a page may lead on to another at once, as index.html does
                    raise
        else:
            raise RuntimeError(f"{url} leads on and on")
        return list(self._events)

    def evaluate(self, expression: str):
        """Value of a JavaScript expression, awaited when it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "a script failed"))
        return answer["result"].get("value")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error) -> None:
        os.close(self._write)
        os.close(self._read)
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        shutil.rmtree(self._profile, ignore_errors=True)
