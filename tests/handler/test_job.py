"""A job: from strings of CloudFormation to JSON of Step Functions and back."""

from __future__ import annotations

import json

import pytest

from dataware.core.model import OnConflict
from dataware.handler.job import job_of, physical_id
from dataware.ops.migration_job import MigrationJob
from support.deployments import BUCKET, properties

EVERYTHING = properties(
    BUCKET,
    SourcePrefix="a/",
    TargetPrefix="b/",
    OnConflict="source",
    AllVersions="true",
    AllowSkipped="true",
    MaxRate="12.5",
)


@pytest.mark.parametrize("about", [properties(), EVERYTHING])
def test_a_job_comes_back_as_it_went(about: dict[str, str]) -> None:
    """Nothing is lost between the custom resource and the worker."""
    job = job_of(about, execution="dataware-1", now=1000.0)
    assert MigrationJob.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_strings_become_what_they_mean() -> None:
    """CloudFormation turns every property into a string."""
    job = job_of(EVERYTHING, execution="dataware-1", now=1000.0)
    assert (job.deadline, job.workers) == (4000.0, 4)
    assert job.settings.on_conflict is OnConflict.SOURCE
    assert (job.settings.all_versions, job.settings.allow_skipped) == (True, True)
    assert job.settings.max_rate == 12.5
    assert (job.source.prefix, job.target.prefix) == ("a/", "b/")
    assert job.record == ("s3-bucket", "new-one/b/")


def test_a_copy_is_never_exclusive() -> None:
    """The target belongs to a stack, so every write has to be guarded."""
    assert not job_of(properties(), execution="dataware-1", now=0.0).order.exclusive


def test_the_id_depends_on_the_target_alone() -> None:
    """Whatever else changes, the resource stays the same one."""
    assert physical_id(properties()) == "dataware:dynamodb-table:new-one"
    assert physical_id(properties(Source="b", Workers="7")) == physical_id(properties())
