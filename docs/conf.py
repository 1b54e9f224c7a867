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
include_patterns = ["CONTRIBUTING.md", "CHANGELOG.md", "docs/**", "examples/*/README.md"]
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
# A construct is called through a metaclass of CDK; only its __init__ knows the arguments.
autodoc_class_signature = "separated"
autodoc_inherit_docstrings = False
python_use_unqualified_type_names = True
# Types of other projects, whose references are not on this machine, and type variables.
nitpick_ignore_regex = [
    ("py:.*", r"(aws_cdk|constructs|jsii|collections|contextlib|enum|pathlib|types|typing)\b.*"),
    ("py:.*", r"Any|TypeVar|tuple\[.*|dataware\.core\.ports\.T"),
    ("py:.*", r"dataware\.cdk\.(properties\.\w+|table\._AnyTable|\w+\.\w+Options)"),
    ("py:.*", r"dataware\.core\.rules\.Terms"),
    # Imported for type checkers alone, because each takes half a second of every synth.
    ("py:.*", r"(efs|rds|opensearch)\.\w+|Fallback"),
]

html_theme = "furo"
html_title = f"dataware {__version__}"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_additional_pages = {"index": "front.html"}
templates_path = ["_site/templates"]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

ACCESSIBLE = {
    # What may be wider than the window is scrolled with the keyboard.
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper colwidths-auto docutils container">': (
        '<div class="table-wrapper colwidths-auto docutils container" tabindex="0">'
    ),
    # Landmarks and headings are told apart.
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="This page">',
    '<aside class="toc-drawer no-toc">': (
        '<aside class="toc-drawer no-toc" aria-label="This page">'
    ),
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    # A column without a name has no header.
    '<th class="head"><p></p></th>': "<td></td>",
    '<th class="head text-right"><p></p></th>': "<td></td>",
}
"""What is written otherwise in every page, each idempotent."""

POSITION = "Alias for field number"

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


def is_position(
    _app: Sphinx, _sort: str, _name: str, found: object, _skip: bool, _options: object
) -> bool | None:
    """Leave out the members of a named tuple that only say which field they are."""
    return True if (getattr(found, "__doc__", None) or "").startswith(POSITION) else None


def make_accessible(app: Sphinx, error: Exception | None) -> None:
    """Add what the theme leaves out for people who use a keyboard or a screen reader."""
    if error is not None:
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for found, instead in ACCESSIBLE.items():
            text = text.replace(found, instead)
        page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_navigation)
    app.connect("autodoc-skip-member", is_position)
    app.connect("build-finished", make_accessible)
