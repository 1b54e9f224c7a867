"""An OpenSearch domain that is looked at first."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from aws_cdk import Stack
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import DomainProperties
from dataware.cdk.resource import CHILD, DataAwareResource


class DomainOptions(DataAwareOptions, DomainProperties):
    """The options of a data-aware domain, and the properties of `aws_opensearchservice.Domain`.

    `domain_endpoint` is that of a domain that exists, by which a reference reaches it.
    """

    domain_endpoint: str


class DataAwareDomain(DataAwareResource):
    """An OpenSearch domain: kept, adopted, referenced or created by what is found.

    One that exists counts as holding data. Documents are not copied: where only a fallback exists,
    the construct is an error, unless `on_fallback_data` is "import", which refers to the fallback.
    """

    _cfn_type = "AWS::OpenSearchService::Domain"
    _l2 = opensearch.Domain
    _for_references: ClassVar[tuple[str, ...]] = ("domain_endpoint",)

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[DomainOptions]
    ) -> None:
        """Declare the domain, or refer to it.

        The options are those of `DomainOptions`. Raises ValueError for a name that cannot be used,
        and for a reference without its endpoint.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def domain(self) -> opensearch.IDomain:
        """The domain: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> opensearch.IDomain:
        arn = Stack.of(self).format_arn(service="es", resource="domain", resource_name=name)
        return opensearch.Domain.from_domain_attributes(
            self,
            CHILD,
            domain_arn=arn,
            domain_endpoint=self._take(properties, "domain_endpoint", name),
        )
