"""The browser sees what is wrong with a page."""

from pathlib import Path

import pytest

from support.browser import PHONE, check_page, check_pages, required, screenshot, serving

SOUND = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sound</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"></head><body><main><h1>Sound</h1>{}</main></body></html>"""

WRONG = {
    "console: ": "<script>console.error('oh')</script>",
    "script: oh": "<script>throw new Error('oh')</script>",
    "network: https://example.com/x.png": "<img alt='' src='https://example.com/x.png'>",
    "axe image-alt: ": "<img src='data:,'>",
    "axe color-contrast: ": "<p style='color:#888;background:#999'>hardly to be read</p>",
    "layout: ": "<div style='width:2000px'>wide</div>",
}


@pytest.fixture(autouse=True)
def a_browser() -> None:
    """These tests need Chromium."""
    required()


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    """Errors, requests, obstacles and overflow are told with theme and width."""
    pages = []
    for number, body in enumerate(WRONG.values()):
        pages.append(tmp_path / f"{number}.html")
        pages[-1].write_text(SOUND.format(body), encoding="utf-8")
    found = check_pages(pages, widths=[PHONE], themes=["light"])
    for problem, one in zip(WRONG, found, strict=True):
        assert [each for each in one.problems if f"light, 390 px: {problem}" in each], (
            problem,
            one,
        )


def test_a_sound_page_has_no_findings(tmp_path: Path) -> None:
    """From a file and from a server, which may serve more than the page."""
    (tmp_path / "page.html").write_text(SOUND.format("<img alt='' src='a.svg'>"), encoding="utf-8")
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    assert not check_page(tmp_path / "page.html", themes=["dark"])
    with serving(tmp_path) as address:
        found = check_page(f"{address}/page.html", themes=["dark"])
        assert not found, found


def test_a_picture_is_taken(tmp_path: Path) -> None:
    """A picture of a page is a PNG as wide as asked for."""
    page = tmp_path / "page.html"
    page.write_text(SOUND.format(""), encoding="utf-8")
    picture = screenshot(page, tmp_path / "page.png", width=PHONE).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == PHONE
