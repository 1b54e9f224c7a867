"""What Ctrl-C does to `verify`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dataware.cli.commands.verify import run_verify
from dataware.cli.settings import AwsOptions, PairOptions, pick
from dataware.core.engines.card import EngineName
from dataware.core.errors import InputError


@pytest.mark.parametrize(("engine", "is_graceful"), [(None, False), (EngineName.MAP, True)])
def test_only_workers_in_the_account_are_stopped_before_the_command_ends(
    engine: EngineName | None, is_graceful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would read on, and be paid for; this machine's own reads just end."""
    asked = []

    @contextmanager
    def outside(_options: AwsOptions, *, copies: bool = False) -> Iterator[None]:
        asked.append(copies)
        raise InputError("no account")
        yield

    monkeypatch.setattr("dataware.cli.context.outside", outside)
    names = ("profile", "region", "endpoint_url", "source_profile")
    pair = {"source": "dynamodb://one-table", "target": "dynamodb://other-table"}
    owners = {"source_owner": None, "target_owner": None}
    options = pick(AwsOptions, dict.fromkeys(names) | {"format": None, "plain": True})
    with pytest.raises(InputError, match="no account"):
        run_verify(
            options, pick(PairOptions, pair | owners), versions="current", deep=False, engine=engine
        )
    assert asked == [is_graceful]
