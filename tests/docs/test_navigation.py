"""The navigation of the site is made of the links in docs/index.md, and the pictures are fresh."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def loaded(path: str) -> ModuleType:
    """A module of Python that belongs to no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    """The configuration of the site."""
    return loaded("docs/conf.py")


def test_headings_are_parts_and_links_are_their_pages(conf: ModuleType) -> None:
    """A page stands in the part that names it first, whatever else is linked."""
    text = (
        "# Index\n[first](limits.md)\n\n## Tutorial\n\n- [a](tutorial.md), [b](cli.md#plan)\n\n"
        "## Reference\n\n- [c](cli.md)\n- [d](../CONTRIBUTING.md), [e](tutorial.md)\n"
    )
    assert conf.pages_of(text) == {
        "Tutorial": ["docs/tutorial"],
        "Reference": ["docs/cli", "CONTRIBUTING"],
    }


def test_a_page_that_the_index_does_not_name_is_found_all_the_same(conf: ModuleType) -> None:
    """It goes into the reference; decision records stand below their own list."""
    known = {"docs/index", "docs/cli", "docs/new", "docs/adr/0001-table"}
    assert conf.unnamed({"Reference": ["docs/cli"]}, known) == ["docs/new"]


def test_the_index_names_the_four_parts(conf: ModuleType) -> None:
    """Tutorial, how-to guides, reference and explanation, and then what is about the project."""
    parts = conf.pages_of((ROOT / "docs/index.md").read_text(encoding="utf-8"))
    assert list(parts) == ["Tutorial", "How-to guides", "Reference", "Explanation", "Project"]
    assert all(parts.values())


SOUGHT = {
    "Install": "install",
    "Questions and answers": "faq",
    "Troubleshooting by message": "troubleshooting",
    "Glossary": "glossary",
    "Undo and clean up": "undo",
    "Security on one page": "security",
    "Compare with other ways": "comparison",
    "Versions and support": "support",
    "Roadmap": "roadmap",
}
"""Pages that people look for by these names."""


@pytest.mark.parametrize("title", SOUGHT)
def test_a_page_that_people_look_for_is_in_the_index_and_is_no_stub(title: str) -> None:
    """Under the title by which it is looked for, and with something to read."""
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert f"- [{title}]({SOUGHT[title]}.md)" in index
    page = (ROOT / f"docs/{SOUGHT[title]}.md").read_text(encoding="utf-8")
    assert len(page.split()) > 60


def test_the_tutorial_says_how_a_terminal_looks() -> None:
    """Its answers are those of a pipe, which a test can compare."""
    tutorial = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    assert "On a terminal you see a progress bar" in tutorial
    assert "All that this page shows is what a pipe or a log gets" in tutorial


def test_pictures_are_fresh() -> None:
    """The pictures are what their text says."""
    drawn = loaded("scripts/draw_docs.py").DRAWN
    folder = ROOT / "docs/pictures"
    assert {path.name for path in folder.glob("*.svg")} >= set(drawn)
    for name, picture in drawn.items():
        written = (folder / name).read_text(encoding="utf-8")
        assert written == picture.svg(), f"docs/pictures/{name} is stale: run `make docs`"
