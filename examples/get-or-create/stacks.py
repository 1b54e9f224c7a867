"""The stacks: what they declare, and the functions that use it."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from dataware.cdk import DataAware

# It was: `from helpers import GetOrCreate`, and `self.aware = GetOrCreate(self)` below.
# The settings are those that the methods of that class gave to everything they created.
PROTECTED = {
    "bucket": {
        "versioned": True,
        "encryption": s3.BucketEncryption.S3_MANAGED,
        "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
    },
    "table": {"deletion_protection": True},
}
STRING, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
HANDLER = "def handler(event, context):\n    return 'ready'\n"


class SpaceportStack(cdk.Stack):
    """What the three stacks share: the helper, and functions that know the names they use."""

    def __init__(self, scope: Construct, id: str, *, stage: str) -> None:
        super().__init__(scope, id, stack_name=f"Spaceport-{id}-{stage}")
        self.stage = stage
        self.aware = DataAware(self, **PROTECTED)

    def bucket(self, construct_id: str, name: str) -> s3.IBucket:
        """A bucket with the stage in its name; before there were stages it had none."""
        return self.aware.get_or_create_s3_bucket(
            construct_id=construct_id,
            preferred_name=f"spaceport-{name}-{self.stage}",
            fallback_name=f"spaceport-{name}",
        )

    def table(
        self,
        construct_id: str,
        key: str,
        key_type: dynamodb.AttributeType = STRING,
        **properties: Any,
    ) -> dynamodb.ITable:
        """A table with the stage in its name; before there were stages it had none."""
        return self.aware.get_or_create_dynamodb_table(
            construct_id=construct_id,
            preferred_name=f"Spaceport-{construct_id}-{self.stage}",
            fallback_name=f"Spaceport-{construct_id}",
            partition_key_name=key,
            partition_key_type=key_type,
            **properties,
        )

    def log_group(self, construct_id: str, name: str) -> logs.ILogGroup:
        """A log group with the stage in its name, whose events stay for ever."""
        return self.aware.get_or_create_log_group(
            construct_id=construct_id,
            preferred_name=f"/spaceport/{name}-{self.stage}",
            fallback_name=f"/spaceport/{name}",
            retention=logs.RetentionDays.INFINITE,
        )

    def function(self, construct_id: str, **names: str) -> lambda_.Function:
        """A function that finds what it uses by environment variables."""
        return lambda_.Function(
            self,
            construct_id,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
            environment=names,
        )


class Accounts(SpaceportStack):
    """Who may come aboard."""

    def __init__(self, scope: Construct, id: str, *, stage: str) -> None:
        super().__init__(scope, id, stage=stage)
        self.users: cognito.IUserPool = self.aware.get_or_create_cognito_user_pool(
            construct_id="Users",
            preferred_name=f"spaceport-users-{stage}",
            fallback_name="spaceport-users",
        )
        self.crew: cognito.IUserPool = self.aware.get_or_create_cognito_user_pool(
            construct_id="Crew",
            preferred_name=f"spaceport-crew-{stage}",
            fallback_name="spaceport-crew",
        )
        payments = self.aware.get_or_create_secret(
            construct_id="Payments",
            preferred_name=f"spaceport/payments-{stage}",
            fallback_name="spaceport/payments",
        )
        subscriptions = self.table("Subscriptions", "email")
        sessions = self.table("Sessions", "id", sort_key_name="at", sort_key_type=NUMBER)
        login = self.function(
            "Login",
            USERS=self.users.user_pool_id,
            CREW=self.crew.user_pool_id,
            PAYMENTS=payments.secret_arn,
            SUBSCRIPTIONS=subscriptions.table_name,
            SESSIONS=sessions.table_name,
        )
        subscriptions.grant_read_data(login)
        sessions.grant_read_write_data(login)
        payments.grant_read(login)


class Processing(SpaceportStack):
    """Uploads, what is made of them, and the images of the containers that make it."""

    def __init__(self, scope: Construct, id: str, *, stage: str, users: cognito.IUserPool) -> None:
        super().__init__(scope, id, stage=stage)
        self.uploads = self.bucket("Uploads", "uploads")
        models = self.bucket("Models", "models")
        files = self.table("Files", "id")
        projects = self.table("Projects", "id")
        repositories = {
            step.upper(): self.aware.get_or_create_ecr_repository(
                construct_id=f"{step.capitalize()}Images",
                preferred_name=f"spaceport/{step}-{stage}",
                fallback_name=f"spaceport/{step}",
            ).repository_uri
            for step in ("survey", "render", "compress")
        }
        jobs = self.aware.get_or_create_sqs_queue(
            construct_id="Jobs",
            preferred_name=f"spaceport-jobs-{stage}",
            fallback_name="spaceport-jobs",
        )
        telemetry = self.aware.get_or_create_kinesis_stream(
            construct_id="Telemetry",
            preferred_name=f"spaceport-telemetry-{stage}",
            fallback_name="spaceport-telemetry",
            shard_count=1,
            encryption=kinesis.StreamEncryption.UNENCRYPTED,
        )
        self.log_group("JobLog", "jobs")
        start = self.function(
            "Start",
            JOBS=jobs.queue_name,
            TELEMETRY=telemetry.stream_name,
            USERS=users.user_pool_id,
            UPLOADS=self.uploads.bucket_name,
            MODELS=models.bucket_name,
            FILES=files.table_name,
            PROJECTS=projects.table_name,
            **repositories,
        )
        self.uploads.grant_read(start)
        models.grant_read_write(start)
        files.grant_read_write_data(start)
        projects.grant_read_write_data(start)
        jobs.grant_send_messages(start)
        telemetry.grant_write(start)


class Site(SpaceportStack):
    """The public pages."""

    def __init__(self, scope: Construct, id: str, *, stage: str, uploads: s3.IBucket) -> None:
        super().__init__(scope, id, stage=stage)
        waitlist = self.table("Waitlist", "email")
        feedback = self.table("Feedback", "id")
        drafts = self.table("Drafts", "id")
        pages = self.function(
            "Pages",
            UPLOADS=uploads.bucket_name,
            WAITLIST=waitlist.table_name,
            FEEDBACK=feedback.table_name,
            DRAFTS=drafts.table_name,
        )
        self.log_group("PageLog", "pages")
        uploads.grant_put(pages)
        waitlist.grant_read_write_data(pages)
        feedback.grant_read_write_data(pages)
        drafts.grant_read_write_data(pages)
