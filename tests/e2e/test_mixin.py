"""A mixin under the real `cdk deploy`: refused beside data, and good once dataware has copied."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3
import pytest

from support.cdk_cli import NEVER_ASK, Project, make_project
from support.peers import UnavailableError
from support.worlds import make_bucket, objects_of, stacks, varied_objects

pytestmark = pytest.mark.xdist_group("cdk")

APP = """
from aws_cdk import App, LegacyStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from dataware.cdk import DataAwareMixin

app = App()
stack = Stack(app, "Media", synthesizer=LegacyStackSynthesizer())
s3.Bucket(
    stack,
    "Uploads",
    bucket_name="uploads-prod",
    removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
).with_(DataAwareMixin(["uploads"]))
app.synth()
"""


@pytest.fixture
def project(aws_server: object, tmp_path: Path) -> Project:
    """An app with a bucket of CDK that opts in by a mixin."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "app.py").write_text(APP)
    (source / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    try:
        return make_project(source, tmp_path / "project", tmp_path / "home")
    except UnavailableError as reason:
        pytest.skip(str(reason))


def test_a_plain_deployment_makes_no_empty_bucket_beside_the_data(project: Project) -> None:
    """It is refused until the data is there, and changes nothing afterwards."""
    make_bucket("uploads", varied_objects(5))
    code, said = project.ended("cdk", "deploy", *NEVER_ASK)
    assert code == 1, said
    assert "the data of uploads has to be copied to uploads-prod" in said
    buckets = boto3.client("s3").list_buckets()["Buckets"]
    assert [one["Name"] for one in buckets] == ["uploads"]
    assert stacks() == []
    project.dataware_deploy()
    assert objects_of("uploads-prod") == objects_of("uploads")
    assert stacks() == ["Media"]
    project.cdk_deploy()
    assert objects_of("uploads-prod") == objects_of("uploads")
