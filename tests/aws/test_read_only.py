"""An account that only reads: every operation of the SDK that may change something is refused."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from dataware.aws.read_only import reads_operation
from dataware.core.errors import RefusedError
from dataware.embedded import EmbeddedAws
from support.accounts import open_account

SAFE = {"GET", "HEAD"}
SERVICES = ("s3", "dynamodb", "dynamodbstreams", "ssm", "cloudformation", "kms")
READS_BY_POST = {"PutObject": False, "Scan": True, "BatchGetItem": True, "DescribeTable": True}


@pytest.mark.parametrize("service", SERVICES)
def test_no_operation_that_writes_counts_as_a_read(service: str) -> None:
    """By the models of the SDK: what has a safe method may read, and no verb of change does."""
    model = botocore.session.Session().get_service_model(service)
    verbs = ("Put", "Create", "Delete", "Update", "Start", "Stop", "Restore", "Copy", "Upload")
    for name in model.operation_names:
        if name.startswith(verbs):
            assert not reads_operation(name), name
        if service == "s3" and reads_operation(name):
            assert model.operation_model(name).http["method"] in SAFE, name
    for name, reads in READS_BY_POST.items():
        assert reads_operation(name) is reads


def test_a_client_refuses_before_anything_is_sent(aws_server: EmbeddedAws) -> None:
    """In every region, and on the raw transport of the account as well."""
    account = open_account(region="us-east-1").read_only()
    s3: Any = account.for_region("eu-west-1").client("s3")
    with pytest.raises(RefusedError, match="credentials of the source only read, so s3:PutObject"):
        s3.put_object(Bucket="some-bucket", Key="k", Body=b"")
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert type(account.wire(lambda _why: None)).__name__ == "ReadOnlyWire"
