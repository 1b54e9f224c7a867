"""A container image repository that looks at its images first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import RepositoryProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import DataAwareResource


class RepositoryOptions(DataAwareOptions, RepositoryProperties):
    """The options of a data-aware repository, and the properties of `aws_ecr.Repository`."""


class DataAwareRepository(DataAwareResource):
    """An ECR repository: kept, adopted, referenced or created by what is found under its names.

    No deployment copies images: where only a fallback holds some, the construct is an error, unless
    `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::ECR::Repository"
    _l2 = ecr.Repository
    _powerless: ClassVar[Mapping[str, str]] = {"add_to_resource_policy": NOTHING}

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        **options: Unpack[RepositoryOptions],
    ) -> None:
        """Declare the repository, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of `aws_ecr.Repository`.
        Raises ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def repository(self) -> ecr.IRepository:
        """The repository: declared by this stack, or referenced."""
        return self._resource
