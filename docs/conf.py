"""How Sphinx makes the site of these pages; `make docs` builds it into build/docs.

Pages are plain Markdown that reads well without Sphinx. So the source folder is the root of the
project, where links from a page to the examples or to a source file lead somewhere, and the
navigation is made of the links in docs/index.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

from dataware import __version__

ROOT = Path(__file__).resolve().parent.parent
INDEX = "docs/index"
LEFTOVERS = "Reference"
"""The part of the navigation that takes in the pages which docs/index.md does not name."""

project = "dataware"
version = release = __version__
project_copyright = "the authors of dataware, Apache License 2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
include_patterns = ["*.md", "docs/**", "examples/*/README.md"]
exclude_patterns = [".*", "build", "node_modules", "requirements", "scripts", "src", "tests"]
root_doc = INDEX
nitpicky = True

myst_heading_anchors = 4
myst_links_external_new_tab = False

# The API page imports CDK, whose kernel would remark on the version of Node.js.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
os.environ.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")

# Docstrings are plain sentences: what stands in single backticks is code.
default_role = "code"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_use_type_comments = False
python_use_unqualified_type_names = True
# Types of other projects, and those of dataware that its API pages do not show.
nitpick_ignore_regex = [("py:.*", ".*")]

html_theme = "furo"
html_title = f"dataware {__version__}"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_additional_pages = {"index": "front.html"}
templates_path = ["_site/templates"]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+\.md)\)")


def pages_of(text: str) -> dict[str, list[str]]:
    """The parts of docs/index.md, by heading, with the pages that each links to, once each."""
    found: dict[str, list[str]] = {}
    seen = {INDEX}
    for heading, body in SECTION.findall(text):
        for link in LINK.findall(body):
            page = str((ROOT / "docs" / link).resolve().relative_to(ROOT).with_suffix(""))
            if page not in seen:
                seen.add(page)
                found.setdefault(heading, []).append(page)
    return found


def unnamed(parts: dict[str, list[str]], known: set[str]) -> list[str]:
    """The pages of docs/ that no part names; decision records stand below their own list."""
    named = {page for pages in parts.values() for page in pages} | {INDEX}
    return sorted(page for page in known - named if "/adr/0" not in page)


def toctree(pages: list[str], caption: str = "") -> Iterator[str]:
    """A hidden directive that puts the pages into the navigation."""
    yield "\n```{toctree}\n:hidden:"
    if caption:
        yield f":caption: {caption}"
    yield from (f"/{page}" for page in pages)
    yield "```\n"


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the navigation behind the text of the index, and the records behind their list."""
    known = set(app.env.found_docs)
    if page == "docs/adr/README":
        records = sorted(name for name in known if name.startswith("docs/adr/0"))
        source[0] += "\n".join(toctree(records))
    if page == INDEX:
        parts = pages_of(source[0])
        parts.setdefault(LEFTOVERS, []).extend(unnamed(parts, known))
        for caption, pages in parts.items():
            source[0] += "\n".join(toctree(pages, caption))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_navigation)
