"""A real browser for pages that people read: headless Chromium, driven by playwright-core.

``python -m support.browser`` installs ahead of the tests what is missing. Chromium is the one that
the variable CHROMIUM names, or one on the path, else Debian's own package where this process may
install it. Pages are checked for errors on the console, requests to the network, what axe-core
finds, and what is wider than the window; at the width of a phone and of a desk, light and dark.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.cdk_cli import BESIDE, node_modules
from support.peers import UnavailableError

PROJECT = Path(__file__).resolve().parent / "chromium"
COMMANDS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
PACKAGES = ("chromium-headless-shell", "fonts-liberation")
PHONE, DESK = 390, 1280
LIGHT, DARK = "light", "dark"
SECONDS = 300

Page = Path | str
"""A file, or the address of a page that `serving` serves."""


@dataclass(frozen=True)
class Findings:
    """What is wrong with a page; true if anything is."""

    page: Page
    problems: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.problems)

    def __str__(self) -> str:
        """The problems, a line each."""
        return "\n".join([f"{self.page}:", *(f"  {problem}" for problem in self.problems)])


def check_page(
    page: Page, *, widths: Sequence[int] = (PHONE, DESK), themes: Sequence[str] = (LIGHT, DARK)
) -> Findings:
    """What is wrong with a page, in every combination of width and theme."""
    return check_pages([page], widths=widths, themes=themes)[0]


def check_pages(
    pages: Sequence[Page],
    *,
    widths: Sequence[int] = (PHONE, DESK),
    themes: Sequence[str] = (LIGHT, DARK),
) -> list[Findings]:
    """`check_page` for many pages in one browser, which is quicker."""
    found = _ask("check", pages, widths=list(widths), themes=list(themes))
    return [Findings(page, tuple(each)) for page, each in zip(pages, found, strict=True)]


def evaluate(page: Page, expression: str, *, width: int = DESK, theme: str = LIGHT) -> Any:
    """The value of a JavaScript expression in a page; fails if the page told of an error."""
    (result,) = _ask("evaluate", [page], widths=[width], themes=[theme], expression=expression)
    assert result["wrong"] == []
    return result["value"]


def milliseconds_to_open(page: Page) -> float:
    """How long the browser takes from the request for a page until it is loaded and painted."""
    return float(evaluate(page, _OPENED))


_OPENED = """new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(
    Math.max(performance.now(), performance.getEntriesByType("navigation")[0].loadEventEnd)
))))"""


def screenshot(
    page: Page,
    file: Path,
    *,
    width: int = DESK,
    theme: str = LIGHT,
    full: bool = True,
    media: str | None = None,
    scale: float = 1,
    expression: str | None = None,
) -> Path:
    """A picture of a page as PNG, or a print of it as PDF; `expression` is evaluated before."""
    wishes: dict[str, Any] = {"file": str(file), "full": full, "media": media, "scale": scale}
    _ask("shoot", [page], widths=[width], themes=[theme], expression=expression, **wishes)
    return file


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address under which a folder is served, for pages that a file's address is too little."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def install() -> Path:
    """The path of Chromium, installed if need be with what drives it. Raises UnavailableError."""
    node_modules(PROJECT)
    return _present() or _install()


def required() -> None:
    """Skip the test without a browser, and fail it where that may not be: in CI."""
    try:
        node_modules(PROJECT)
        _found()
    except UnavailableError as reason:
        if os.environ.get("CI"):
            pytest.fail(f"CI has to open the pages in a browser: {reason}")
        pytest.skip(str(reason))


def _present() -> Path | None:
    if chosen := os.environ.get("CHROMIUM"):
        return Path(chosen)
    found = next(filter(None, map(shutil.which, COMMANDS)), None)
    return Path(found) if found else None


def _found() -> Path:
    if (found := _present()) is None:
        raise UnavailableError("there is no Chromium: PYTHONPATH=tests python -m support.browser")
    return found


def _install() -> Path:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise UnavailableError("Chromium is not installed; install it, or name one with CHROMIUM")
    quiet = ("-qq", "-o", "DPkg::Lock::Timeout=120")
    for command in (
        (apt, *quiet, "update"),
        (apt, *quiet, "install", "--yes", "--no-install-recommends", *PACKAGES),
    ):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["apt-get says nothing"]
            raise UnavailableError(f"Chromium cannot be installed: {lines[-1]}")
    return _found()


def _ask(act: str, pages: Sequence[Page], **wishes: Any) -> list[Any]:
    """The answers of the program that drives the browser, one for each page."""
    urls = [page.resolve().as_uri() if isinstance(page, Path) else page for page in pages]
    tools = {"modules": str(node_modules(PROJECT)), "chromium": str(_found())}
    node = shutil.which("node", path=f"{BESIDE}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        [str(node), str(PROJECT / "check.mjs")],
        input=json.dumps({"act": act, "urls": urls, **tools, **wishes}),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


if __name__ == "__main__":
    try:
        print(f"Pages are opened in {install()}")
    except UnavailableError as reason:
        print(f"Tests that open pages are skipped: {reason}")
        sys.exit(1 if os.environ.get("CI") else 0)
