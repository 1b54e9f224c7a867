"""A log group that looks at its events first."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_logs as logs
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import LogGroupProperties
from dataware.cdk.resource import DataAwareResource


class LogGroupOptions(DataAwareOptions, LogGroupProperties):
    """The options of a data-aware log group, and the properties of `aws_logs.LogGroup`."""


class DataAwareLogGroup(DataAwareResource):
    """A log group: kept, adopted, referenced or created by what is found under its names.

    Events are not copied: where only a fallback holds some, the construct is an error, unless
    `on_fallback_data` is "import", which refers to the fallback. A retention that is shorter than
    that of an existing log group deletes events, and stops its adoption.
    """

    _cfn_type = "AWS::Logs::LogGroup"
    _l2 = logs.LogGroup

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        **options: Unpack[LogGroupOptions],
    ) -> None:
        """Declare the log group, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of `aws_logs.LogGroup`.
        Raises ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def log_group(self) -> logs.ILogGroup:
        """The log group: declared by this stack, or referenced."""
        return self._resource
