"""The app that was written with get-or-create helpers: four deployments in a row, in three ways.

`SPACEPORT=whole` (`make apps`) takes the whole seed in each of them; otherwise one of them does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.cdk_cli import NEVER_ASK, Project, make_project
from support.peers import Unavailable
from support.servers import FaultProxy, json_error
from support.spaceport import (
    CREATED,
    EXISTING,
    SMALL,
    WHOLE,
    Sizes,
    contents,
    fill,
    moved,
    owned,
)
from support.worlds import client, stacks

APP = Path(__file__).resolve().parents[2] / "examples/get-or-create"
ALWAYS_WHOLE = os.environ.get("SPACEPORT") == "whole"
TIMES = 4
COPIED_INTO_STACK = {"Files", "Waitlist", "uploads", "models"}


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """The example beside an AWS of its own, in which the account is bootstrapped."""
    with EmbeddedAws() as aws:
        for name, value in aws.environ().items():
            monkeypatch.setenv(name, value)
        try:
            made = make_project(APP, tmp_path / "project", tmp_path / "home")
        except Unavailable as reason:
            pytest.skip(str(reason))
        made.bootstrap()
        yield made


def by_cdk(project: Project, number: int) -> None:
    """What the pipeline of the app always has typed."""
    project.cdk_deploy("--all")


def by_dataware(project: Project, number: int) -> None:
    """Data first, and the stacks adopt it."""
    project.dataware_deploy("--all")


def by_turns(project: Project, number: int) -> None:
    """One after the other."""
    (by_cdk if number % 2 else by_dataware)(project, number)


def check_denied(project: Project, endpoint: str) -> None:
    """While a fallback cannot be read nothing is deployed, and the error names the permission."""
    with FaultProxy(endpoint) as proxy:
        denied = json_error("AccessDeniedException")
        proxy.add(denied, operation="Scan", when=lambda seen: b'"Spaceport-Waitlist"' in seen.body)
        there = replace(project, environ={**project.environ, "AWS_ENDPOINT_URL": proxy.endpoint})
        code, said = there.ended("cdk", "deploy", "--all", *NEVER_ASK)
    assert code != 0
    assert "rule 14" in said, said
    assert "dynamodb:Scan" in said
    assert not {name for name in stacks() if name.startswith("Spaceport-")}


@pytest.mark.parametrize(
    ("deploy", "sizes", "adopted"),
    [
        pytest.param(by_cdk, SMALL, set(), marks=pytest.mark.xdist_group("cdk")),
        pytest.param(by_dataware, WHOLE, {1, 2, 3, 4}, marks=pytest.mark.xdist_group("cdk-apps")),
        pytest.param(by_turns, SMALL, {2, 3, 4}, marks=pytest.mark.xdist_group("cdk-adopting")),
    ],
    ids=["cdk", "dataware", "turns"],
)
def test_four_deployments_in_a_row(
    project: Project,
    deploy: Callable[[Project, int], None],
    sizes: Sizes,
    adopted: set[int],
) -> None:
    """After each one all data is there, every stack owns what it owned, and nothing differs."""
    sizes = WHOLE if ALWAYS_WHOLE else sizes
    fill(sizes)
    before = contents(sizes)
    if deploy is by_cdk:
        check_denied(project, os.environ["AWS_ENDPOINT_URL"])
        assert contents(sizes) == before
    for number in range(1, TIMES + 1):
        deploy(project, number)
        assert contents(sizes) == moved(before), f"after deployment {number}"
        expected = CREATED | COPIED_INTO_STACK | (EXISTING if number in adopted else set())
        assert set[str]().union(*owned().values()) == expected, f"after deployment {number}"
        if number > 1:
            project.check_no_difference()
    assert len(client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]) == 1
