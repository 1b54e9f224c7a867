"""A container image repository that looks at its images first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from dataware.cdk.properties import RepositoryProperties
from dataware.cdk.reference import REPOSITORY, report_unused, warn_on_use
from dataware.cdk.resource import CHILD, DataAwareResource


class DataAwareRepository(DataAwareResource):
    """An ECR repository: kept, adopted, referenced or created by what is found under its names.

    Images are not copied: where only a fallback holds images, the construct is an error, unless
    `on_fallback_data` is "import", which refers to the fallback.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        fallback_names: Iterable[str] = (),
        on_error: str | None = None,
        on_fallback_data: str | None = None,
        import_mode: str | None = None,
        **properties: Unpack[RepositoryProperties],
    ) -> None:
        """Declare the repository, or refer to it; `properties` are those of `aws_ecr.Repository`.

        The settings are those of `DataAwareBucket`. Raises ValueError for a name that cannot be
        used.
        """
        super().__init__(
            scope,
            id,
            cfn_type="AWS::ECR::Repository",
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
        )
        given: dict[str, Any] = {**properties}
        self._refuse(given, "repository_name")
        self._repository = self._build(given, None, self._declare_resource, self._reference)

    @property
    def repository(self) -> ecr.IRepository:
        """The repository: declared by this stack, or referenced."""
        return self._repository

    def _declare_resource(self, properties: dict[str, Any]) -> ecr.IRepository:
        return ecr.Repository(self, CHILD, repository_name=self._asked.preferred, **properties)

    def _reference(self, name: str, properties: dict[str, Any]) -> ecr.IRepository:
        repository = ecr.Repository.from_repository_name(self, CHILD, name)
        report_unused(self, name, properties)
        warn_on_use(self, repository, name, REPOSITORY)
        return repository
