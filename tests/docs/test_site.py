"""The documentation site: built without a warning, complete, and asking nothing of the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from support import browser

# Sphinx takes long: one process builds the site for all tests.
pytestmark = pytest.mark.xdist_group("site")

ROOT = Path(__file__).resolve().parents[2]
SPHINX = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--conf-dir", "docs")
SECONDS = 300

FETCHED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
"""The elements whose address a browser fetches by itself, with the attribute that holds it."""

REMOTE = re.compile(r"\s*(?:[a-z]+:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"(?:url\(|@import)\s*['\"]?([^'\")\s;]+)")
IN_SCRIPTS = re.compile(
    r"(?:fetch|import|importScripts|Worker|EventSource|WebSocket|open|sendBeacon)\s*\("
    r"[^()]{0,40}['\"`](?:https?:|wss?:)?//"
)


class Read(HTMLParser):
    """What a page fetches, what it links to, and its ids."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.fetches: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        values = dict(attrs)
        if address := values.get(FETCHED.get(tag, "")):
            self.fetches.append(address)
        if link := values.get({"a": "href", "form": "action"}.get(tag, "")):
            self.links.append(link)
        if name := values.get("id"):
            self.ids.add(name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    where = ("--doctree-dir", str(folder / "doctrees"), ".", str(folder / "html"))
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *SPHINX, *where],
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Read]:
    """Every page of the site."""
    return {page: Read(page) for page in sorted(site.rglob("*.html"))}


def test_every_page_of_the_documentation_is_on_the_site(
    site: Path, pages: dict[Path, Read]
) -> None:
    """Each Markdown page under docs/ has become a page."""
    sources = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")]
    assert len(sources) > 30
    assert [path for path in sources if (site / path).with_suffix(".html") not in pages] == []


def test_every_page_is_reached_from_the_first_one(site: Path, pages: dict[Path, Read]) -> None:
    """Whoever follows links from the front page can come to every page; no link leads nowhere."""
    reached, ahead = set(), [site / "index.html"]
    while ahead:
        page = ahead.pop()
        if page in reached or page not in pages:
            continue
        reached.add(page)
        for link in pages[page].links:
            address = urlsplit(link)
            if address.scheme:
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            assert target.is_file(), f"{page}: {link}"
            if address.fragment and target in pages:
                assert unquote(address.fragment) in pages[target].ids, f"{page}: {link}"
            ahead.append(target)
    assert sorted(set(pages) - reached) == []


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Read]) -> None:
    """Pages, styles and scripts bring everything along that a browser fetches for them."""
    fetched = {address for page in pages.values() for address in page.fetches}
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    fetched |= {address for style in styles for address in IN_STYLES.findall(style)}
    assert any(address.endswith("site.css") or "site.css?" in address for address in fetched)
    assert [address for address in sorted(fetched) if REMOTE.match(address)] == []
    scripts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.js")}
    assert scripts
    assert [path.name for path, text in scripts.items() if IN_SCRIPTS.search(text)] == []


def test_pictures_bring_their_own_ground(site: Path) -> None:
    """A picture can be read in the light and in the dark, and says what it shows."""
    for name in ("data-flow.svg", "layers.svg", "marker.svg", "deployment.svg"):
        text = (site / "_images" / name).read_text(encoding="utf-8")
        assert "<title>" in text
        assert 'class="ground"' in text
        assert "prefers-color-scheme: dark" in text


def test_the_pages_stand_in_a_browser(site: Path, pages: dict[Path, Read]) -> None:
    """No error, no request to the network, nothing that axe-core finds; light and dark."""
    browser.required()
    names = [f"docs/{name}.html" for name in LOOKED_AT]
    assert {site / name for name in names} <= set(pages)
    with browser.serving(site) as address:
        found = browser.check_pages([f"{address}/{name}" for name in names])
    assert [str(each) for each in found if each] == []


LOOKED_AT = (
    *("index", "tutorial", "decisions", "architecture", "api", "install", "faq", "undo"),
    *("troubleshooting", "security", "comparison", "support", "roadmap", "recipes", "limits"),
    *("computed-names", "first-runs"),
)
"""Pages of every sort: lists, code, long tables, pictures, signatures, questions, recordings."""
