"""No test can reach a real account or the files of the person who runs it."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest


def test_no_credentials_are_found(clean_environment: Path) -> None:
    """Without a server's variables the SDK finds nobody to be."""
    assert boto3.Session().get_credentials() is None
    assert boto3.Session().region_name is None


def test_every_home_is_a_temporary_one(clean_environment: Path) -> None:
    """State, configuration and data go to a folder of the test's own."""
    homes = ["HOME", *(f"XDG_{name}_HOME" for name in ("STATE", "CONFIG", "DATA", "CACHE"))]
    for name in homes:
        assert Path(os.environ[name]).is_relative_to(clean_environment)


def test_the_caches_of_the_person_are_used(clean_environment: Path) -> None:
    """What is expensive to install is not installed again for every test."""
    assert not Path(os.environ["DATAWARE_CACHE"]).is_relative_to(clean_environment)


@pytest.mark.xdist_group("isolation")
def test_groups_of_tests_are_seen(request: pytest.FixtureRequest) -> None:
    """A group that the scheduler overlooks is spread over the processes, and starts all twice."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("there are groups with `--dist loadgroup` only")
    assert request.node.nodeid.endswith("@isolation")
