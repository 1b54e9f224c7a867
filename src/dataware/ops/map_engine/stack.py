"""The short-lived stack of the workers, and the bucket beside it; every step may be repeated.

The bucket is no resource of the stack, because the code of its function has to be there before, and
because CloudFormation deletes no bucket that holds something. Source: AWS CloudFormation API
Reference, CreateStack, DeleteStack and "Stack status codes".
"""

from __future__ import annotations

from contextlib import suppress

from dataware.aws import WaitIntervals
from dataware.aws.holding_stack import HoldingStack
from dataware.core.engines.work_bucket import WorkBucket
from dataware.core.errors import IncompleteError, NotFoundError, ServiceError
from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.ops.map_engine.lambda_code import make_zip
from dataware.ops.map_engine.template import CODE, WorkersLocation

TAG = "dataware"
READY = "CREATE_COMPLETE"


class WorkersStack:
    """The stack and the bucket of one migration's workers."""

    def __init__(
        self, aws: Aws, place: WorkersLocation, patience: WaitIntervals | None = None
    ) -> None:
        self._aws = aws
        self._place = place
        self._api = aws.client("cloudformation")
        self._watched = HoldingStack(
            aws, place.stack, f"the workers {place.stack}", patience or WaitIntervals()
        )
        self.bucket = WorkBucket(aws, place.bucket)

    def deploy(self, template: str) -> bool:
        """Have the workers; whether they had to be made. Raises ServiceError where they cannot be.

        What an earlier run left half made is deleted first.
        """
        self.bucket.make()
        stack = self._watched.find()
        if stack is not None:
            status = self._watched.find_decision(stack)
            if status == READY:
                return False
            self._delete(stack)
        self.put(CODE, make_zip())
        stack = self._create(template)
        status = self._watched.find_decision(stack)
        if status != READY:
            why = self._watched.failure(stack)
            raise ServiceError(
                f"CloudFormation did not create the workers {self._place.stack}: {why}; fix that "
                "and run the same command again",
                Problem("CreateStack", status, None, why),
            )
        return True

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the bucket. Raises LookupFailedError."""
        parts = self.bucket.open(key)
        parts.put(1, body)
        parts.complete()

    def remove(self) -> None:
        """Remove stack and bucket, and look that nothing is left. Raises what says what is."""
        stack = self._watched.find()
        if stack is not None:
            self._delete(stack)
        self.bucket.remove()
        if self._watched.find() is not None or self._has_bucket():
            raise IncompleteError(
                f"the workers {self._place.stack} are not gone yet; run the same command again"
            )

    def _create(self, template: str) -> str:
        return self._watched.ask_for(
            f"the stack {self._place.stack}",
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": TAG, "Value": f"map {self._place.run}"}],
            OnFailure="ROLLBACK",
        )

    def _delete(self, stack: str) -> None:
        name = self._place.stack
        with self._aws.translate_errors(f"the stack {name}", "cloudformation:DeleteStack"):
            self._api.delete_stack(StackName=stack)
        status = "DELETE_COMPLETE"
        with suppress(NotFoundError):
            status = self._watched.find_decision(stack)
        if status != "DELETE_COMPLETE":
            why = self._watched.failure(stack)
            raise ServiceError(
                f"the stack {name} of the workers cannot be deleted ({status}): {why}; fix that "
                "and run the same command again",
                Problem("DeleteStack", status, None, why),
            )

    def _has_bucket(self) -> bool:
        name, api = self._place.bucket, self._aws.client("s3")
        try:
            with self._aws.translate_errors(f"bucket {name}", "s3:ListBucket"):
                api.list_objects_v2(Bucket=name, MaxKeys=1)
        except NotFoundError:
            return False
        return True
