"""A stack whose data may already be somewhere: two buckets and two tables."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from dataware.cdk import DataAwareBucket, DataAwareTable

HANDLER = "def handler(event, context):\n    return 'ready'\n"


class Spaceport(cdk.Stack):
    """Uploads and a waiting list, with the functions that use them."""

    def __init__(self, scope: Construct, id: str, *, stage: str) -> None:
        super().__init__(scope, id, stack_name=f"{id}-{stage}")
        uploads = DataAwareBucket(
            self,
            "Uploads",
            preferred_name=f"spaceport-uploads-{stage}",
            fallback_names=["spaceport-uploads"],
            versioned=True,
        )
        processing = DataAwareBucket(
            self,
            "Processing",
            preferred_name=f"spaceport-ml-processing-{stage}",
            fallback_names=["spaceport-ml-processing"],
        )
        waitlist = DataAwareTable(
            self,
            "Waitlist",
            preferred_name=f"Spaceport-Waitlist-{stage}",
            fallback_names=["Spaceport-Waitlist"],
            partition_key=dynamodb.Attribute(name="email", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        )
        jobs = DataAwareTable(
            self,
            "Jobs",
            preferred_name=f"Spaceport-Jobs-{stage}",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="at", type=dynamodb.AttributeType.NUMBER),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        )
        function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
            environment={
                "UPLOADS": uploads.bucket.bucket_name,
                "WAITLIST": waitlist.table.table_name,
            },
        )
        uploads.bucket.grant_read(function)
        processing.bucket.grant_read_write(function)
        waitlist.table.grant_read_write_data(function)
        jobs.table.grant_read_write_data(function)


app = cdk.App()
Spaceport(app, "Spaceport", stage=app.node.try_get_context("stage") or "staging")
app.synth()
