"""Repositories and user pools: kept by their stack, referenced where they stand outside."""

from __future__ import annotations

import json

import boto3
import pytest
from aws_cdk import App, DefaultStackSynthesizer, Stack

from cdk.apps import entry, errors, make_stack, resources, write_lock
from cdk.test_live import deploy, settled
from dataware.cdk import DataAware, DataAwareRepository, DataAwareUserPool
from dataware.core.model import Action
from dataware.embedded import EmbeddedAws

REPOSITORY, POOL = "AWS::ECR::Repository", "AWS::Cognito::UserPool"


@pytest.fixture
def server(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The embedded AWS as the default environment of every stack."""
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", boto3.client("sts").get_caller_identity()["Account"])
    monkeypatch.setenv("CDK_DEFAULT_REGION", boto3.client("s3").meta.region_name)
    return aws_server


def synthesized() -> tuple[Stack, DataAwareRepository, DataAwareUserPool]:
    """A stack with a repository and a user pool, decided now."""
    stack = Stack(
        App(), "Demo", synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    )
    images = DataAwareRepository(
        stack, "Images", preferred_name="app/web-prod", fallback_names=["app/web"]
    )
    users = DataAwareUserPool(stack, "Users", preferred_name="users-prod", fallback_names=["users"])
    return stack, images, users


def test_a_stack_keeps_its_repository_and_its_pool(server: EmbeddedAws) -> None:
    """What the first deployment creates and people fill stays declared in the second and third."""
    templates = []
    for round_ in range(3):
        stack, images, users = synthesized()
        assert errors(stack) == []
        templates.append(resources(stack))
        deploy(stack)
        assert settled("Demo") in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        pools = boto3.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        assert [pool["Name"] for pool in pools] == ["users-prod"]
        if round_ == 0:
            boto3.client("ecr").put_image(
                repositoryName="app/web-prod", imageManifest=json.dumps({"schemaVersion": 2})
            )
            boto3.client("cognito-idp").admin_create_user(UserPoolId=pools[0]["Id"], Username="ada")
    assert templates[0] == templates[1] == templates[2]
    assert {one["Type"] for one in templates[0].values()} == {REPOSITORY, POOL}
    assert images.decision.action is users.decision.action is Action.KEEP


def test_what_exists_outside_of_the_stack_is_referenced(server: EmbeddedAws) -> None:
    """A pool is referenced by its id, and no second one of its name is ever created."""
    idp, ecr = boto3.client("cognito-idp"), boto3.client("ecr")
    pool = idp.create_user_pool(PoolName="users-prod")["UserPool"]["Id"]
    ecr.create_repository(repositoryName="app/web-prod")
    ecr.put_image(repositoryName="app/web-prod", imageManifest=json.dumps({"schemaVersion": 2}))
    stack, images, users = synthesized()
    assert errors(stack) == []
    assert resources(stack) == {}
    assert users.user_pool.user_pool_id == pool
    assert images.repository.repository_name == "app/web-prod"


def test_data_in_a_fallback_alone_is_an_error(server: EmbeddedAws) -> None:
    """Users are copied in part and by hand, so an empty pool beside them is never deployed."""
    idp = boto3.client("cognito-idp")
    pool = idp.create_user_pool(PoolName="users")["UserPool"]["Id"]
    idp.admin_create_user(UserPoolId=pool, Username="ada")
    stack, _, _ = synthesized()
    (text,) = errors(stack)
    assert "a copy of a Cognito user pool is partial (it leaves out passwords" in text
    assert "on_fallback_data to import" in text


def test_the_older_helpers_refer_to_a_fallback_with_data(server: EmbeddedAws) -> None:
    """A stack that changes one line keeps using the pool and the repository that it used."""
    idp, ecr = boto3.client("cognito-idp"), boto3.client("ecr")
    pool = idp.create_user_pool(PoolName="users")["UserPool"]["Id"]
    idp.admin_create_user(UserPoolId=pool, Username="ada")
    ecr.create_repository(repositoryName="app/web")
    ecr.put_image(repositoryName="app/web", imageManifest=json.dumps({"schemaVersion": 2}))
    stack = Stack(App(), "Demo")
    aware = DataAware(stack, migration=None, import_mode="reference")
    users = aware.get_or_create_cognito_user_pool("Users", "users-prod", "users")
    images = aware.get_or_create_ecr_repository("Images", "app/web-prod", "app/web")
    assert errors(stack) == []
    assert (users.user_pool_id, images.repository_name) == (pool, "app/web")
    assert "AWS::Cognito::UserPool" not in {one["Type"] for one in resources(stack).values()}


def test_an_entry_without_the_id_of_a_pool_is_not_believed() -> None:
    """A reference by name would lead nowhere, so the lock file has to say the id."""
    locked = entry("import", 1, exists="yes", **{"import": "reference"})
    write_lock({f"{POOL} users-prod": locked})
    stack = make_stack(lookup="never")
    DataAwareUserPool(stack, "Users", preferred_name="users-prod")
    (text,) = errors(stack)
    assert "does not say its id" in text
    write_lock({f"{POOL} users-prod": {**locked, "physical_id": "eu-central-1_A1b2C3d4E"}})
    stack = make_stack(lookup="never")
    users = DataAwareUserPool(stack, "Users", preferred_name="users-prod")
    assert errors(stack) == []
    assert users.user_pool.user_pool_id == "eu-central-1_A1b2C3d4E"


def test_a_pool_that_exists_is_not_declared_before_it_is_adopted(server: EmbeddedAws) -> None:
    """A plain deployment would create a second one: what adopts it is named, and nothing deployed.

    So it is with a decision of the lock file, and with one that is made now.
    """
    idp = boto3.client("cognito-idp")
    pool = idp.create_user_pool(PoolName="users-prod")["UserPool"]["Id"]
    stack = Stack(App(), "Demo")
    DataAwareUserPool(stack, "Users", preferred_name="users-prod", import_mode="adopt")
    (text,) = errors(stack)
    assert "only `dataware deploy` lets a stack adopt it" in text
    locked = entry("import", 1, exists="yes", **{"import": "adopt", "by_id": True})
    write_lock({f"{POOL} users-prod": {**locked, "physical_id": pool}})
    stack = make_stack(lookup="never")
    DataAwareUserPool(stack, "Users", preferred_name="users-prod", import_mode="adopt")
    (text,) = errors(stack)
    assert "only `dataware deploy` lets a stack adopt it" in text
