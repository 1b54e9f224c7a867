"""`dataware demo`: the whole job on an AWS of its own, with the words of the specification."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from support.cli import Ran
from support.wheel import Installation

pytestmark = pytest.mark.xdist_group("demo")

SCENARIOS = [
    "✅ Importing existing S3 bucket with data: spaceport-uploads-staging",
    "✅ Importing existing DynamoDB table with data: Spaceport-Waitlist-staging",
    "🔄 Fallback table has data, creating preferred and migrating: "
    "Spaceport-Waitlist → Spaceport-Waitlist-prod",
    "📊 Found 78 items to migrate",
    "✅ Migrated batch 1/4",
    "✅ Migrated batch 2/4",
    "✅ Migrated batch 3/4",
    "✅ Migrated batch 4/4",
    "✅ Successfully migrated data to Spaceport-Waitlist-prod",
    "ℹ️  Preferred bucket exists but is empty: spaceport-ml-processing-staging",
    "ℹ️  Fallback bucket exists but is empty: spaceport-ml-processing",
    "🆕 Creating new S3 bucket: spaceport-ml-processing-staging",
]


@pytest.fixture(scope="module")
def shown(installed: Installation) -> Ran:
    """The output of one small demo, out of the wheel without any extra."""
    return installed.run("dataware", "demo", "--items", 2000, "--objects", 60)


def in_order(wanted: Iterable[str], lines: list[str]) -> bool:
    """Whether the lines hold all that is wanted, in that order."""
    rest = iter(lines)
    return all(line in rest for line in wanted)


def test_it_succeeds_and_shows_the_scenarios_verbatim(shown: Ran) -> None:
    """Every line of the specification's three scenarios stands there, in order."""
    assert shown.code == 0, shown
    assert in_order(SCENARIOS, shown.lines), shown.out


def test_it_kills_a_copy_and_resumes_it(shown: Ran) -> None:
    """The kill, the status of what it left, the resumption and the verification."""
    killed = next(line for line in shown.lines if line.startswith("Killed (SIGKILL) with "))
    idle = next(line for line in reversed(shown.lines) if line.startswith("✅ Nothing to copy: "))
    whole = "📊 Spaceport-Places → Spaceport-Places-prod: complete: 2,000 items verified; "
    complete = next(line for line in shown.lines if line.startswith(whole))
    assert in_order(
        [
            killed,
            "🔄 Resuming the migration: Spaceport-Places → Spaceport-Places-prod",
            "✅ Successfully migrated data to Spaceport-Places-prod",
            "✅ Verified 2,000 items: all by content",
            "✅ Successfully migrated data to spaceport-places-prod",
            "✅ Verified 60 objects: all by content",
            idle,
            complete,
        ],
        shown.lines,
    ), shown.out
    assert int(killed.split()[3].replace(",", "")) > 0
    assert any("Spaceport-Places-prod: interrupted" in line for line in shown.lines)


def test_it_ends_with_what_to_type_next(shown: Ran) -> None:
    """The reader is told how to go on with an account."""
    assert "dataware plan  dataware.toml --profile NAME" in shown.out
    assert "Traceback" not in shown.out + shown.err
