"""Five buckets and five tables; what stands before gives each another decision."""

from __future__ import annotations

from aws_cdk import App, Stack
from aws_cdk import aws_dynamodb as dynamodb

from dataware.cdk import DataAwareBucket, DataAwareTable

TABLE = {
    "partition_key": dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
    "billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST,
}

app = App()
stack = Stack(app, "EveryRule")
for name in ("left", "moved", "twin", "empty", "shared"):
    DataAwareBucket(
        stack,
        name.capitalize(),
        preferred_name=f"{name}-prod",
        fallback_names=[name],
    )
for name in ("filled", "new", "fresh", "resumed", "older"):
    DataAwareTable(
        stack,
        name.capitalize(),
        preferred_name=f"{name}-prod",
        fallback_names=[name],
        on_fallback_data="import" if name == "older" else None,
        **TABLE,
    )
app.synth()
