"""Events: the words that scripts and people rely on."""

from __future__ import annotations

import pytest

from dataware.core.events import MESSAGES, event


def test_a_missing_field_is_an_error_where_the_event_is_made() -> None:
    """An event without a field of its line cannot be made."""
    with pytest.raises(KeyError, match="lacks batches"):
        event("batch", batch=1)


def test_an_unknown_code_is_an_error() -> None:
    """Codes are a closed list."""
    with pytest.raises(KeyError):
        event("no-such-code")


def test_numbers_are_written_with_separators() -> None:
    """Large counts are readable."""
    assert event("found", count=1234567, unit="item").text() == "Found 1,234,567 items to migrate"


def test_nouns_follow_their_number() -> None:
    """One thing is not called many."""
    assert event("found", count=1, unit="object").text() == "Found 1 object to migrate"
    assert "2 resources" in event("looking", count=2, account="1", region="r").text()


def test_true_is_not_a_number() -> None:
    """Only counts get separators; other values are shown as they are."""
    assert event("warning", text=True).text() == "True"


def test_every_line_has_a_sign() -> None:
    """No message is without its sign, because scripts look for it."""
    assert all(message.sign.strip() for message in MESSAGES.values())
