"""axe-core in a headless Chromium: what keeps readers out of a page, light and dark.

``python tests/axe.py`` asks it about every page of the rendered book, and says what is serious.
"""

import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import browser

VERSION = "axe-core@4.10.3"
RULES = "{exclude: ['.drawing svg']}, {resultTypes: ['violations'], runOnly: %s}"
STILL = "Object.assign(document.createElement('style'), {textContent: '* {transition: none !important}'})"
SERIOUS = """
axe.run(%s).then(found => found.violations.filter(x => ['serious', 'critical'].includes(x.impact))
    .map(x => x.id + ' ' + x.nodes[0].html))
"""


def script() -> str:
    """The script of axe-core, from npm's registry; ``OSError`` or ``SubprocessError`` without it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", VERSION, "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            return archive.extractfile("package/axe.min.js").read().decode()


def serious(opened: browser.Browser, page: Path, axe: str) -> list[str]:
    """What is serious or critical on a page; the dark theme differs in nothing but colours, and only they are asked."""
    found = []
    for dark, only in ((False, "['wcag2a', 'wcag2aa']"), (True, "['color-contrast']")):
        opened.open(page.as_uri(), 1440, dark)
        opened.evaluate(f"document.head.append({STILL}); {axe};0")
        found += opened.evaluate(SERIOUS % (RULES % only))
    return found


def main(html: Path) -> int:
    if not (html / "book").is_dir() or not browser.find():
        sys.exit(f"{html} holds no book (run: make book), or no Chromium is on the path")
    start, bad, axe = time.monotonic(), 0, script()
    paths = [p for p in sorted(html.rglob("*.html")) if {"_code", "_static"}.isdisjoint(p.parts) and p.parent != html]
    with browser.Browser(browser.find()) as opened:
        for page in paths:
            for problem in serious(opened, page, axe):
                bad += 1
                print(f"{page.relative_to(html)}: {problem}")
    print(f"{len(paths)} pages, light and dark, in {time.monotonic() - start:.0f} s: {bad} serious problems")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1] / "_build" / "html"))
