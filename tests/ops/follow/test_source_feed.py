"""Where changes come from: what a person asked for first, then what the source has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.errors import InputError
from dataware.core.model import Location
from dataware.kinds import load
from dataware.kinds.dynamodb_table.follow.export_feed import ExportFeed
from dataware.kinds.dynamodb_table.follow.following import FOLLOWING
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow.difference import BackgroundDifference, DifferenceFeed
from dataware.ops.follow.follow_checks import check_settings
from dataware.ops.follow.source_feed import EXPORTS, choose_feed
from dataware.ops.migration_policy import Migration

TABLE = load("AWS::DynamoDB::Table")
HERE = ("111122223333", "eu-central-1")


class Table:
    """A table without a stream of any sort; an Aws port that tells so."""

    account, region = HERE

    def for_region(self, _region: str) -> Table:
        """The same."""
        return self


def choose(**settings: Any) -> Any:
    """The feed of a source of that table."""
    places = (Location(name, *HERE) for name in ("old", "new"))
    chosen = CopySettings(follow=True, **settings)
    migration = SimpleNamespace(kind=TABLE, order=CopyOrder(*places), settings=chosen, words=dict)
    following = SimpleNamespace(
        find_feed=lambda _aws, _name: None, make_export_feed=FOLLOWING.make_export_feed
    )
    return choose_feed(
        cast("Context", SimpleNamespace(aws=Table())),
        cast("Migration", migration),
        cast("Any", following),
        cast("BackgroundDifference", None),
        lambda _detail: None,
    )


def test_exports_that_are_asked_for_lie_under_the_name_of_their_table() -> None:
    """So that several tables may share a bucket; a difference closes their gaps."""
    chosen = choose(export_to="exports/dataware/")
    assert isinstance(chosen.feed, ExportFeed)
    assert (chosen.feed._bucket, chosen.feed._prefix) == ("exports", "dataware/old")
    assert chosen.noun == EXPORTS


def test_without_any_feed_both_sides_are_compared() -> None:
    """Which changes nothing of the source."""
    chosen = choose()
    assert isinstance(chosen.feed, DifferenceFeed)
    assert (chosen.noun, chosen.difference) == ("", None)


def test_a_type_that_exports_nothing_is_refused() -> None:
    """With how it is followed instead."""
    with pytest.raises(InputError, match="without --export-to"):
        check_settings(load("AWS::S3::Bucket"), CopySettings(follow=True, export_to="exports"))
