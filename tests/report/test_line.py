"""The lines that people and scripts know."""

import io

import pytest

from dataware.core.events import MESSAGES, Event, event
from dataware.report.line import WORDS, encodable, line

BUCKET: dict[str, object] = {"noun": "S3 bucket", "short": "bucket"}
TABLE: dict[str, object] = {"noun": "DynamoDB table", "short": "table"}

GOLDEN = [
    (
        event("importing", name="spaceport-uploads-staging", **BUCKET),
        "✅ Importing existing S3 bucket with data: spaceport-uploads-staging",
    ),
    (
        event("importing", name="Spaceport-Waitlist-staging", **TABLE),
        "✅ Importing existing DynamoDB table with data: Spaceport-Waitlist-staging",
    ),
    (
        event("migrating", source="Spaceport-Waitlist", name="Spaceport-Waitlist-prod", **TABLE),
        "🔄 Fallback table has data, creating preferred and migrating: "
        "Spaceport-Waitlist → Spaceport-Waitlist-prod",
    ),
    (event("found", count=78, unit="item"), "📊 Found 78 items to migrate"),
    (event("batch", batch=1, batches=4), "✅ Migrated batch 1/4"),
    (
        event("migrated", name="Spaceport-Waitlist-prod"),
        "✅ Successfully migrated data to Spaceport-Waitlist-prod",
    ),
    (
        event("preferred-empty", name="spaceport-ml-processing-staging", **BUCKET),
        "ℹ️  Preferred bucket exists but is empty: spaceport-ml-processing-staging",
    ),
    (
        event("fallback-empty", name="spaceport-ml-processing", **BUCKET),
        "ℹ️  Fallback bucket exists but is empty: spaceport-ml-processing",
    ),
    (
        event("creating", name="spaceport-ml-processing-staging", **BUCKET),
        "🆕 Creating new S3 bucket: spaceport-ml-processing-staging",
    ),
]


@pytest.mark.parametrize(("happened", "expected"), GOLDEN, ids=lambda x: getattr(x, "code", ""))
def test_the_known_lines_are_kept_byte_for_byte(happened: Event, expected: str) -> None:
    """The words and signs that scripts and people rely on never change."""
    assert line(happened, signs=True).encode() == expected.encode()


def test_without_signs_a_word_tells_the_level() -> None:
    """A plain line begins with a word instead of an emoji."""
    assert line(event("migrated", name="t"), signs=False) == "ok: Successfully migrated data to t"
    assert line(event("warning", text="look"), signs=False) == "warning: look"
    assert line(event("failure", text="no"), signs=False) == "failed: no"


def test_every_level_has_a_word() -> None:
    """A new level cannot be forgotten by the plain lines."""
    assert {message.level for message in MESSAGES.values()} <= set(WORDS)


def test_a_stream_without_unicode_gets_ascii() -> None:
    """What the stream's encoding lacks is replaced instead of raising."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert encodable("a → ü", stream) == "a -> \\xfc"
