"""The constructs with the oldest aws-cdk-lib make what they make with the newest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.cdk_cli import QUIET
from support.oldest_cdk import install

APP = """
import json
import sys

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Template

from dataware.cdk import DataAware, DataAwareTableV2, DataMigration

stack = Stack(App(), "Demo", env=Environment(account="111122223333", region="eu-central-1"))
aware = DataAware(stack, bucket={"versioned": True}, table={"point_in_time_recovery": True})
string = dynamodb.AttributeType.STRING
aware.get_or_create_s3_bucket("Uploads", "uploads-prod", "uploads")
aware.get_or_create_dynamodb_table("Waitlist", "Waitlist-prod", None, "email", string)
aware.get_or_create_ecr_repository("Images", "images-prod", "images")
aware.get_or_create_cognito_user_pool("Users", "users-prod", "users")
DataMigration(stack, "Copy", source="s3://uploads", target="s3://uploads-prod")
try:
    key = dynamodb.Attribute(name="email", type=string)
    DataAwareTableV2(stack, "Global", preferred_name="Global", partition_key=key)
    refused = ""
except ValueError as error:
    refused = str(error)
try:
    from dataware.cdk import DataAwareMixin
except ImportError as error:
    refused += str(error)
json.dump([Template.from_stack(stack).to_json()["Resources"], refused], sys.stdout)
"""


def synthesize(folder: Path, *first: Path) -> tuple[dict[str, Any], str]:
    """The resources that the app declares, and what it was refused."""
    source = Path(__file__).resolve().parents[2] / "src"
    path = os.pathsep.join(map(str, (*first, source)))
    environ = {**os.environ, **QUIET, "PYTHONPATH": path, "DATAWARE_LOOKUP": "collect"}
    environ["DATAWARE_RUN"] = "look"
    ran = subprocess.run(
        [sys.executable, "-c", APP],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environ,
    )
    assert ran.returncode == 0, ran.stderr
    resources, refused = json.loads(ran.stdout)
    return resources, refused


@pytest.mark.xdist_group("cdk")
def test_the_oldest_library_declares_what_the_newest_does(tmp_path: Path) -> None:
    """Same logical ids, properties of data and policies; what needs a newer version says so."""
    oldest, refused = synthesize(tmp_path, install())
    newest, taken = synthesize(tmp_path)
    assert "TableV2 needs aws-cdk-lib 2.95 or newer" in refused
    assert "DataAwareMixin needs constructs 10.5 or newer: run " in refused
    assert taken == ""
    named = {one for one in newest if "Global" not in one}
    assert set(oldest) == named
    for logical_id in named:
        old, new = oldest[logical_id], newest[logical_id]
        assert (old["Type"], old.get("DeletionPolicy"), old.get("UpdateReplacePolicy")) == (
            new["Type"],
            new.get("DeletionPolicy"),
            new.get("UpdateReplacePolicy"),
        ), logical_id
        assert old.get("Metadata", {}).get("Dataware") == new.get("Metadata", {}).get("Dataware")
