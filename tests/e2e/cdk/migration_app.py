"""A stack whose table and bucket take over the data of older ones while it is deployed."""

from __future__ import annotations

import os

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3

from dataware.cdk.migration import DataMigration

app = App()
stack = Stack(app, "Migration")
table = dynamodb.Table(
    stack,
    "Table",
    table_name="new-one",
    partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
    billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
    removal_policy=RemovalPolicy.RETAIN,
)
bucket = s3.Bucket(stack, "Bucket", bucket_name="new-two", removal_policy=RemovalPolicy.RETAIN)
for resource, logical_id in ((table, "Table"), (bucket, "Bucket")):
    # The stack has them already, from a template that was written by hand.
    resource.node.default_child.override_logical_id(logical_id)
settings = {
    "query_interval": Duration.seconds(2),
    "environment": {"AWS_ENDPOINT_URL": os.environ["WORKER_ENDPOINT"]},
}
objects = DataMigration(stack, "Objects", source="s3://old-two", target=bucket, **settings)
items = DataMigration(stack, "Items", source="dynamodb://old-one", target=table, **settings)
items.node.add_dependency(objects)
app.synth()
