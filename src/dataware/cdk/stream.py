"""A Kinesis stream that looks at its records first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from aws_cdk import Stack
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import StreamProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource


class StreamOptions(DataAwareOptions, StreamProperties):
    """The options of a data-aware stream, and the properties of `aws_kinesis.Stream`."""


class DataAwareStream(DataAwareResource):
    """A Kinesis stream: kept, adopted, referenced or created by what is found under its names.

    Records are not copied, because consumers go by their numbers: where only a fallback holds some,
    the construct is an error, unless `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::Kinesis::Stream"
    _l2 = kinesis.Stream
    _name_argument = "stream_name"
    _powerless: ClassVar[Mapping[str, str]] = {"add_to_resource_policy": NOTHING}

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[StreamOptions]
    ) -> None:
        """Declare the stream, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of `aws_kinesis.Stream`.
        Raises ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def stream(self) -> kinesis.IStream:
        """The stream: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> kinesis.IStream:
        del properties
        stack = Stack.of(self)
        arn = stack.format_arn(service="kinesis", resource="stream", resource_name=name)
        return kinesis.Stream.from_stream_arn(self, CHILD, arn)
