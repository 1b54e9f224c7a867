"""Creates what a run needs, by holding stacks of CloudFormation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataware.aws import HeldResource, LeftoverStacks, create_together
from dataware.core.errors import DatawareError
from dataware.core.kind import Kind
from dataware.core.model import Wanted
from dataware.core.ports import Aws
from dataware.core.values import list_hidden_texts
from dataware.ops.context import CreationWatch, TargetToMake


class CloudFormationHoldingStacks:
    """Creates resources in holding stacks of one account and region."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._leftovers = LeftoverStacks(aws)

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """Create resources by as few stacks as possible, and tell `watch` of each at once."""
        wanted = {_resource_of(*target): target.wanted for target in targets}
        create_together(self._aws, list(wanted), _Relay(wanted, watch), filled=filled)

    def release(self, kind: Kind, name: str) -> bool:
        """Remove what a killed run left of an earlier creation; whether that made the resource."""
        return self._leftovers.release(kind.all_types, kind.cfn_type, name)


def _resource_of(kind: Kind, wanted: Wanted) -> HeldResource:
    return HeldResource(
        kind.cfn_type,
        kind.template.identifier,
        wanted.preferred,
        wanted.properties,
        list_hidden_texts(wanted.properties, wanted.hidden),
    )


@dataclass(frozen=True, slots=True)
class _Relay:
    """Hands on what becomes of resources, under what is wanted of them."""

    wanted: dict[HeldResource, Wanted]
    watch: CreationWatch

    def report_made(self, resource: HeldResource) -> None:
        self.watch.report_made(self.wanted[resource])

    def report_failed(self, resource: HeldResource, error: DatawareError) -> None:
        self.watch.report_failed(self.wanted[resource], error)

    def await_recorded(self, resources: Sequence[HeldResource]) -> None:
        self.watch.await_recorded([self.wanted[one] for one in resources])
