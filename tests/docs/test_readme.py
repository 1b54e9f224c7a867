"""The first page answers what a newcomer asks, before anybody scrolls for long."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()


def section(title: str) -> str:
    """What stands under a heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_it_is_short_and_begins_with_what_it_is_and_a_picture_that_moves() -> None:
    """What, a real run, why, and how to install, on the first screen."""
    assert len(LINES) <= 130
    assert README.startswith("# dataware\n\ndataware looks at your S3 buckets and DynamoDB tables ")
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+\.svg)\)", "\n".join(LINES[:12]))
    drawn = (ROOT / picture).read_text(encoding="utf-8")
    assert "@keyframes" in drawn or "<animate" in drawn
    assert "uvx dataware demo" in "\n".join(LINES[:30])


def test_it_shows_each_way_to_opt_in() -> None:
    """TypeScript first, then Python, then a template."""
    languages = re.findall(r"^```(\w+)$", section("Use it"), re.MULTILINE)
    assert languages == ["ts", "python", "yaml", "sh"]


def test_it_promises_little_and_says_when_not_to_use_it() -> None:
    """Five guarantees, and for each other wish what to take instead."""
    assert len(re.findall(r"^- \*\*", section("What you can rely on"), re.MULTILINE)) == 5
    rows = re.findall(r"^\| (?!---|you want)", section("When not to use it"), re.MULTILINE)
    assert len(rows) >= 5
