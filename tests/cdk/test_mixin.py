"""The mixin opts in what CDK's own constructs declare, and refuses what would have no effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk.apps import KEY, make_stack, resources
from dataware.cdk import DataAwareBucket, DataAwareMixin
from dataware.core.model import ImportMode, OnError, OnFallbackData, Wanted
from dataware.kinds import CATALOGUE, kinds, load
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.wanted import Overrides

SETTINGS = {"on_error": "stop", "on_fallback_data": "import", "import_mode": "reference"}
WORDS = {"OnError": "stop", "OnFallbackData": "import", "Import": "reference"}
KINDS = {kind.cfn_type: kind for kind in kinds()}
Make = Callable[[Construct, str, str], Any]

TYPED: dict[str, Make] = {
    "AWS::S3::Bucket": lambda scope, id, name: s3.Bucket(scope, id, bucket_name=name),
    "AWS::DynamoDB::Table": lambda scope, id, name: dynamodb.Table(
        scope, id, table_name=name, partition_key=KEY
    ),
    "AWS::DynamoDB::GlobalTable": lambda scope, id, name: dynamodb.TableV2(
        scope, id, table_name=name, partition_key=KEY
    ),
    "AWS::SSM::Parameter": lambda scope, id, name: ssm.StringParameter(
        scope, id, parameter_name=name, string_value="x"
    ),
    "AWS::ECR::Repository": lambda scope, id, name: ecr.Repository(scope, id, repository_name=name),
    "AWS::Cognito::UserPool": lambda scope, id, name: cognito.UserPool(
        scope, id, user_pool_name=name
    ),
    "AWS::Logs::LogGroup": lambda scope, id, name: logs.LogGroup(scope, id, log_group_name=name),
    "AWS::SecretsManager::Secret": lambda scope, id, name: secretsmanager.Secret(
        scope, id, secret_name=name
    ),
    "AWS::SQS::Queue": lambda scope, id, name: sqs.Queue(scope, id, queue_name=name),
    "AWS::Kinesis::Stream": lambda scope, id, name: kinesis.Stream(scope, id, stream_name=name),
    "AWS::EFS::FileSystem": lambda scope, id, _name: efs.CfnFileSystem(scope, id),
    "AWS::RDS::DBInstance": lambda scope, id, name: rds.CfnDBInstance(
        scope, id, db_instance_identifier=name
    ),
    "AWS::RDS::DBCluster": lambda scope, id, name: rds.CfnDBCluster(
        scope, id, db_cluster_identifier=name
    ),
    "AWS::KMS::Key": lambda scope, id, _name: kms.Key(scope, id),
    "AWS::OpenSearchService::Domain": lambda scope, id, name: opensearch.CfnDomain(
        scope, id, domain_name=name
    ),
}
"""CDK's own construct of every known type."""

NAMES = {"AWS::SSM::Parameter": "/images/prod", "AWS::KMS::Key": "alias/images-prod"}


def written(make: Callable[[Construct], Any], mixin: DataAwareMixin) -> dict[str, Any]:
    """The only resource of a stack, after the mixin was applied to what was made in it."""
    stack = make_stack()
    made = make(stack)
    assert made.with_(mixin).node.path == made.node.path
    (resource,) = resources(stack).values()
    return dict(resource)


def refusal(construct: Any, mixin: DataAwareMixin) -> str:
    """The sentence with which a construct is refused; `with_` hands a ValueError on."""
    with pytest.raises(RuntimeError) as refused:
        construct.with_(mixin)
    return str(refused.value)


@pytest.mark.parametrize("cfn_type", CATALOGUE)
def test_cdks_construct_of_every_type_opts_in(cfn_type: str) -> None:
    """Under the type of the template, whatever CDK's class calls the name."""
    name = NAMES.get(cfn_type, "images-prod")
    old = name.replace("prod", "old")
    mixin = DataAwareMixin([old])
    if not load(cfn_type).template.has_name:
        mixin = DataAwareMixin([old], physical_id=name)
    resource = written(lambda scope: TYPED[cfn_type](scope, "One", name), mixin)
    assert (resource["Type"], resource["Metadata"]["Dataware"]["Fallback"]) == (cfn_type, [old])


@pytest.mark.parametrize(
    "make",
    [
        lambda scope: s3.CfnBucket(scope, "One", bucket_name="uploads-prod"),
        lambda scope: cdk.CfnResource(
            scope, "One", type="AWS::S3::Bucket", properties={"BucketName": "uploads-prod"}
        ),
    ],
    ids=["typed", "untyped"],
)
def test_a_resource_of_its_own_opts_in_with_every_setting(make: Make) -> None:
    """An L1 construct, of CDK's class for the type or of the class for any type."""
    metadata = written(make, DataAwareMixin("uploads", **SETTINGS))["Metadata"]  # type: ignore[arg-type]
    assert metadata["Dataware"] == {"Fallback": ["uploads"], **WORDS}


def test_an_assembly_is_read_as_the_mixin_says(tmp_path: Path) -> None:
    """What `dataware plan` takes from a synthesized app."""
    app = cdk.App(outdir=str(tmp_path / "out"), context={"aws:cdk:enable-path-metadata": True})
    stack = make_stack(app=app)
    for name in ("uploads", "photos"):
        bucket = s3.Bucket(stack, name, bucket_name=f"{name}-prod")
        bucket.with_(DataAwareMixin([name], **SETTINGS))  # type: ignore[arg-type]
    app.synth()
    found = {
        one.id: one for one in load_app(tmp_path / "out", kinds=KINDS, overrides=Overrides()).wanted
    }
    assert set(found) == {"Demo/uploads", "Demo/photos"}
    for name in ("uploads", "photos"):
        assert chosen(found[f"Demo/{name}"]) == (f"{name}-prod", (name,))
        assert found[f"Demo/{name}"].on_error is OnError.STOP
        assert found[f"Demo/{name}"].on_fallback_data is OnFallbackData.IMPORT
        assert found[f"Demo/{name}"].import_mode is ImportMode.REFERENCE


def chosen(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """The names of a resource."""
    return wanted.preferred, wanted.fallbacks


def test_a_whole_stack_opts_in_at_once_without_fallback_names() -> None:
    """What dataware does not know stays as it is, and so does a policy beside its bucket."""
    stack = make_stack()
    bucket = s3.Bucket(stack, "Uploads", bucket_name="uploads-prod", enforce_ssl=True)
    dynamodb.Table(stack, "Waitlist", table_name="Waitlist-prod", partition_key=KEY)
    sns.Topic(stack, "Topic")
    kms.Key(stack, "Key")
    stack.with_(DataAwareMixin(on_error="stop"))
    bucket.with_(DataAwareMixin(on_error="stop"))
    opted = {
        one["Type"]: one["Metadata"]["Dataware"]
        for one in resources(stack).values()
        if "Metadata" in one
    }
    same = {"Fallback": [], "OnError": "stop"}
    assert opted == {"AWS::S3::Bucket": same, "AWS::DynamoDB::Table": same}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda scope: s3.Bucket(scope, "One"), "Demo/One has no name: give a literal bucket_name"),
        (lambda scope: s3.CfnBucket(scope, "One"), "Demo/One has no name"),
        (
            lambda scope: s3.Bucket(scope, "One", bucket_name=cdk.PhysicalName.GENERATE_IF_NEEDED),
            "Demo/One has no name",
        ),
        (
            lambda scope: s3.Bucket(scope, "One", bucket_name=f"up-{cdk.Aws.STACK_NAME}"),
            "Demo/One has a name that is computed during the deployment: give a literal",
        ),
        (
            lambda scope: s3.Bucket(
                scope, "One", bucket_name=cdk.CfnParameter(scope, "Name").value_as_string
            ),
            "Demo/One has a name that is computed during the deployment",
        ),
        (lambda scope: sns.Topic(scope, "One"), "Demo/One declares no resource that dataware"),
        (lambda scope: sns.CfnTopic(scope, "One"), "Demo/One is an AWS::SNS::Topic, which dataw"),
        (
            lambda scope: s3.Bucket.from_bucket_name(scope, "One", "uploads-prod"),
            "Demo/One declares no resource that dataware knows",
        ),
        (
            lambda scope: s3.Bucket(scope, "One", bucket_name="uploads"),
            "uploads is both preferred_name and one of fallback_names",
        ),
        (
            lambda scope: DataAwareBucket(scope, "One", preferred_name="uploads-prod"),
            "Demo/One opts in already, with other settings",
        ),
    ],
)
def test_what_would_have_no_effect_is_refused(
    make: Callable[[Construct], Any], sentence: str
) -> None:
    """In one sentence, at the line of the app that says so."""
    made = make(make_stack(lookup="collect"))
    assert sentence in refusal(made, DataAwareMixin(["uploads"]))


def test_fallback_names_belong_to_one_resource() -> None:
    """Data of one old name must not go to two resources: of one stack, or one after the other."""
    stack = make_stack()
    made = [s3.Bucket(stack, name, bucket_name=f"{name}-prod") for name in ("first", "second")]
    once = refusal(stack, DataAwareMixin(["uploads"]))
    assert "Demo/first and Demo/second cannot share fallback_names" in once
    other = make_stack()
    made = [s3.Bucket(other, name, bucket_name=f"{name}-prod") for name in ("first", "second")]
    mixin = DataAwareMixin(["uploads"])
    made[0].with_(mixin).with_(mixin)
    assert "cannot share fallback_names" in refusal(made[1], mixin)


def test_an_unknown_setting_and_an_unknown_construct_are_refused_without_with() -> None:
    """The error of a direct call is a ValueError."""
    stack = make_stack()
    with pytest.raises(ValueError, match="on_error cannot be 'never': choose 'safe'"):
        DataAwareMixin(on_error="never").apply_to(s3.Bucket(stack, "One", bucket_name="uploads"))
    with pytest.raises(ValueError, match="declares no resource that dataware knows"):
        DataAwareMixin().apply_to(sns.Topic(stack, "Topic"))


def test_the_mixin_for_typescript_knows_the_same_types() -> None:
    """Types and the properties of their names, as the catalogue has them."""
    source = Path(__file__).resolve().parents[2] / "examples/typescript/lib/dataware.ts"
    pairs = dict(re.findall(r"'(AWS::\w+::\w+)': '(\w+)'", source.read_text(encoding="utf-8")))
    assert pairs == {kind.cfn_type: kind.template.identifier for kind in kinds()}


def test_a_mixin_for_a_whole_stack_leaves_what_a_resource_says_of_itself() -> None:
    """The order of the two calls is the usual one: first a resource, then what is left."""
    stack = make_stack()
    s3.Bucket(stack, "Uploads", bucket_name="uploads-prod").with_(DataAwareMixin(["uploads"]))
    s3.Bucket(stack, "Logs", bucket_name="logs-prod")
    stack.with_(DataAwareMixin())
    opted = {
        one["Properties"]["BucketName"]: one["Metadata"]["Dataware"]
        for one in resources(stack).values()
    }
    assert opted["uploads-prod"]["Fallback"] == ["uploads"]
    assert not opted["logs-prod"].get("Fallback")


def test_a_bucket_with_a_generated_name_goes_by_the_name_that_it_has() -> None:
    """Its template has no name, and a mixin with an id is for one resource."""
    stack = make_stack()
    mixin = DataAwareMixin(physical_id="gone-uploads-1a2b3c")
    s3.Bucket(stack, "Uploads").with_(mixin)
    (resource,) = resources(stack).values()
    assert resource["Metadata"]["Dataware"] == {"Id": "gone-uploads-1a2b3c", "Fallback": []}
    assert "Properties" not in resource
    assert "cannot share a physical_id" in refusal(s3.Bucket(stack, "Other"), mixin)
    assert "give its id as physical_id" in refusal(kms.Key(stack, "Key"), DataAwareMixin(["a"]))


def test_what_a_mixin_opts_in_is_declared_in_any_case() -> None:
    """A construct declares its resource as the decision says, which its assembly tells."""
    stack = make_stack(lookup="collect")
    s3.Bucket(stack, "Written", bucket_name="written").with_(DataAwareMixin())
    made = DataAwareBucket(stack, "Made", preferred_name="made")
    made.bucket.node.default_child.override_logical_id("Another")
    folder = Path(cdk.App.of(stack).synth().directory)
    found = load_app(folder, kinds=KINDS).wanted
    assert {one.preferred: one.is_written for one in found} == {"written": True, "made": False}
