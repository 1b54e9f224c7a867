"""What running an example leaves behind is no change of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    "example", sorted(path.parent.name for path in EXAMPLES.glob("*/cdk.json"))
)
def test_the_assembly_of_an_example_is_ignored(example: str) -> None:
    """CDK writes `cdk.out` beside the app."""
    assert "cdk.out/" in (EXAMPLES / example / ".gitignore").read_text().splitlines()
