"""Every claim of docs/limits.md says where it was shown, by a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = (
    (ROOT / "docs/limits.md")
    .read_text(encoding="utf-8")
    .partition("## What has been shown, and where")[2]
)
ROWS = re.findall(
    r"^\| (.+?) \| (.+?) \| `(tests/[\w/]+\.py)::(test_\w+)` \| (.+?) \|$", SECTION, re.M
)
SERVERS = (
    *("the embedded AWS", "the embedded AWS behind a proxy", "SeaweedFS", "DynamoDB Local"),
    "roto",
    "recorded answers",
    "a stand-in for S3 Batch Operations",
)


def test_no_row_is_passed_over() -> None:
    """Every row below the heading has all of its columns."""
    lines = [line for line in SECTION.splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 > 0


@pytest.mark.parametrize(("claim", "server", "file", "test", "source"), ROWS)
def test_a_claim_names_its_server_its_test_and_its_source(
    claim: str, server: str, file: str, test: str, source: str
) -> None:
    """Whoever doubts a claim finds the test, and the page of AWS that it rests on."""
    assert server in SERVERS, claim
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert test in names, claim
    assert source in {"not needed", "the same page"} or re.search(r"\"|`|real AWS", source), claim
