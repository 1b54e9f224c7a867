"""A queue that looks at its messages first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import QueueProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource


class QueueOptions(DataAwareOptions, QueueProperties):
    """The options of a data-aware queue, and the properties of `aws_sqs.Queue`."""


class DataAwareQueue(DataAwareResource):
    """An SQS queue: kept, adopted, referenced or created by what is found under its names.

    A queue that exists outside of the stack is adopted by `dataware deploy`, by its URL, and
    referenced by a plain `cdk deploy`. Messages are not copied: where only a fallback holds some,
    the construct is an error, unless `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::SQS::Queue"
    _l2 = sqs.Queue
    _powerless: ClassVar[Mapping[str, str]] = {"add_to_resource_policy": NOTHING}

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[QueueOptions]
    ) -> None:
        """Declare the queue, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of `aws_sqs.Queue`. Raises
        ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def queue(self) -> sqs.IQueue:
        """The queue: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> sqs.IQueue:
        del properties
        arn = Stack.of(self).format_arn(service="sqs", resource=name)
        return sqs.Queue.from_queue_arn(self, CHILD, arn)
