"""What a mixin opts in is looked at where CDK runs the app: the lock file answers here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import NestedStack, Stack
from aws_cdk import aws_s3 as s3

from cdk.apps import BUCKET, entry, errors, make_stack, warnings, write_lock
from dataware.cdk import DataAwareMixin

NEW, OLD = "uploads-prod", "uploads"
DEPLOY = "deploy with `dataware deploy`, which copies first"
MOVE = f"the data of {OLD} has to be copied to {NEW}: {DEPLOY}"


@pytest.fixture(autouse=True)
def _cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment in which the CDK command line runs an app."""
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "cdk.out"))


def opted_in(*fallbacks: str, **settings: Any) -> Stack:
    """A stack with a bucket of CDK that opts in; only the lock file is asked about it."""
    stack = make_stack(lookup="never")
    s3.Bucket(stack, "Uploads", bucket_name=NEW).with_(DataAwareMixin(fallbacks, **settings))
    return stack


def lock(action: str, rule: int, **fields: Any) -> None:
    """A lock file with the decision on the bucket."""
    write_lock({f"{BUCKET} {NEW}": entry(action, rule, fallbacks=[OLD], **fields)})


@pytest.mark.parametrize(("action", "rule"), [("migrate", 3), ("resume", 7), ("migrate", 6)])
def test_data_that_has_to_move_first_is_an_error(action: str, rule: int) -> None:
    """The deployment would create, or keep, an empty bucket beside it."""
    lock(action, rule, source=OLD)
    assert errors(opted_in(OLD)) == [MOVE]


def test_a_stop_is_an_error() -> None:
    """As it is on a construct."""
    lock("stop", 14)
    (error,) = errors(opted_in(OLD))
    assert f"Stopped at {NEW} (rule 14): because of rule 14" in error


def test_an_empty_resource_that_the_settings_leave_beside_data_is_an_error() -> None:
    """Here because the fallback is not to be copied."""
    lock("keep", 6, exists="yes", content="empty", beside=[OLD])
    assert errors(opted_in(OLD)) == [f"{NEW} would stay empty, and {OLD} holds data: {DEPLOY}"]


def test_what_is_kept_or_imported_is_no_matter() -> None:
    """Nothing has to move."""
    for action, rule in (("keep", 6), ("import", 1)):
        lock(action, rule, exists="yes", content="data")
        stack = opted_in(OLD)
        assert errors(stack) == []
        assert [one for one in warnings(stack) if NEW in one] == []


def test_what_nobody_looked_at_is_a_warning() -> None:
    """A synth needs no credentials, and `dataware deploy` looks all the same."""
    stack = opted_in(OLD)
    assert errors(stack) == []
    (warning,) = [one for one in warnings(stack) if NEW in one]
    assert f"{NEW} was not looked at: " in warning
    assert f"; {DEPLOY}" in warning


def test_a_lock_file_that_knows_of_no_data_cannot_rule_out_what_came_since() -> None:
    """The bucket would be created beside it."""
    lock("create", 5)
    stack = opted_in(OLD)
    assert errors(stack) == []
    (warning,) = [one for one in warnings(stack) if NEW in one]
    assert f"{OLD} may hold data by now that belongs into {NEW}; deploy with" in warning


def test_a_nested_stack_is_not_looked_at() -> None:
    """Its name is not known before the deployment, and so not who owns what."""
    stack = make_stack(lookup="never")
    inner = NestedStack(stack, "Inner")
    s3.Bucket(inner, "Uploads", bucket_name=NEW).with_(DataAwareMixin([OLD]))
    (warning,) = [one for one in warnings(stack) if NEW in one]
    assert "the name of a nested stack is not known before the deployment" in warning


@pytest.mark.parametrize("variable", ["CDK_OUTDIR", "DATAWARE_RUN"])
def test_nothing_is_looked_at_where_dataware_runs_the_app_or_no_deployment_follows(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has looked itself, and the first deployment of data that it copied is no mistake."""
    if variable == "CDK_OUTDIR":
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, "deploy")
    lock("migrate", 3, source=OLD)
    assert errors(opted_in(OLD)) == []


def test_a_mixin_without_fallbacks_asks_nothing() -> None:
    """There is no other name under which data could stay."""
    lock("stop", 14)
    assert errors(opted_in()) == []
