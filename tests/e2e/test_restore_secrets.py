"""`dataware deploy --restore-secrets` restores what is in the way of a deployment, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import Ran, run
from support.recipes import deploy, stopped
from support.worlds import client

SECRET = "AWS::SecretsManager::Secret"
NAME, OLDER = "app/key-prod", "app/key"


@pytest.fixture(autouse=True)
def project(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty AWS, and a CDK project whose command line writes down what it is asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def is_deleted(name: str) -> bool:
    """Whether a secret waits for its deletion, as the service says."""
    return "DeletedDate" in client("secretsmanager").describe_secret(SecretId=name)


def deploy_again(*options: str) -> Ran:
    """Deploy what is deployed."""
    return run("deploy", "--yes", *options)


def test_a_secret_of_the_stack_that_waits_for_its_deletion_is_restored_once_asked_for() -> None:
    """Without the option nothing is deployed; with it, the stack keeps it and its fallback waits.

    So it is where the lock file holds the very same decision, and nothing else is to be done.
    """
    resource: dict[str, Any] = {
        "Type": SECRET,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"Name": NAME},
    }
    manager = client("secretsmanager")
    deploy("App", Key=opted_in(resource, OLDER))
    manager.put_secret_value(SecretId=NAME, SecretString="one")
    manager.create_secret(Name=OLDER, SecretString="older")
    assembly(Path("prepared"), App={"Key": opted_in(resource, OLDER)})
    assert deploy_again().code == 0
    for name in (NAME, OLDER):
        manager.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    assert "marked for deletion" in stopped(deploy_again(), 25)
    assert is_deleted(NAME)
    ran = deploy_again("--restore-secrets")
    assert ran.code == 0, ran
    assert f"Cancelled the deletion of secret {NAME}" in ran.out
    assert (is_deleted(NAME), is_deleted(OLDER)) == (False, True)
    assert manager.get_secret_value(SecretId=NAME)["SecretString"] == "one"
    again = deploy_again("--restore-secrets")
    assert again.code == 0, again
    assert "Cancelled" not in again.out
    assert is_deleted(OLDER)
