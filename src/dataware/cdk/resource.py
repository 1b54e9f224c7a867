"""What the constructs for buckets and tables have in common.

A resource is declared under the child id "Default", which CDK leaves out of logical ids. So
``DataAwareBucket(self, "Uploads")`` declares the very resource that ``Bucket(self, "Uploads")``
did, whatever is decided, and an existing stack can change from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from aws_cdk import Annotations, CfnResource, RemovalPolicy, Resource, Stack
from constructs import Construct, IConstruct

from dataware.cdk.asked import ask
from dataware.cdk.claims import claim
from dataware.cdk.decide import Lookup, import_default, lookup_mode, settle
from dataware.core.model import Decision
from dataware.core.plan import COPYING

CHILD = "Default"
WANTED = "dataware:wanted"
"""Type of the construct metadata by which an assembly tells of resources it only refers to."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Data that has to be copied into a resource while its stack is deployed.

    `source` and `target` are physical names; nothing in a `guarded` target may be replaced.
    """

    cfn_type: str
    source: str
    target: str
    guarded: bool


class MakeMigration(Protocol):
    """What a construct's `migration` argument is: makes the construct that copies."""

    def __call__(self, scope: Construct, id: str, copy: Copy, /) -> IConstruct:
        """The construct on which everything may depend that needs the data."""
        ...


class DataAwareResource(Construct):
    """A stateful resource that looks at its data before it is created."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cfn_type: str,
        preferred_name: str,
        fallback_names: Iterable[str],
        on_error: str | None,
        on_fallback_data: str | None,
        import_mode: str | None,
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._asked = ask(
            self.node.path,
            cfn_type,
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
            schema=schema,
        )
        if Stack.of(self).nested:
            raise ValueError(
                f"{self._asked.path}: the name of a nested stack is not known before the "
                "deployment: move the construct to the stack itself"
            )
        claim(self, self._asked)
        self._entry = settle(self, self._asked)
        self._copying: IConstruct | None = None

    @property
    def decision(self) -> Decision:
        """What was decided, by which rule and why; rule 0 where nothing could be decided."""
        return self._entry.decision

    @cached_property
    def migration(self) -> IConstruct:
        """What to depend on to wait for the data; an empty construct if nothing is copied."""
        return self._copying or Construct(self, "Migration")

    def _refuse(self, properties: Mapping[str, Any], name: str) -> None:
        if name in properties:
            raise ValueError(
                f"{self._asked.path}: {name} has no place here: give preferred_name instead"
            )

    def _declare(self, resource: Resource, migration: MakeMigration | None) -> None:
        """Opt the declared resource in, and let its data be copied in the deployment."""
        asked = self._asked
        element = resource.node.default_child
        if not isinstance(element, CfnResource):
            raise TypeError(f"{asked.path}: {resource.node.path} has no CloudFormation resource")
        element.add_metadata("Dataware", self._metadata())
        self._migrate(migration, resource)

    def _refer(self, reference: IConstruct, migration: MakeMigration | None) -> None:
        """Let the assembly tell of a resource that the template does not declare."""
        data = {"LogicalId": self._entry.logical_id, "Resource": self._asked.resource}
        self.node.add_metadata(WANTED, data)
        self._migrate(migration, reference)

    def _metadata(self) -> dict[str, Any]:
        """The settings for the template; a collecting run also tells the app's default."""
        metadata = self._asked.metadata
        if "Import" not in metadata and lookup_mode(self) is Lookup.COLLECT:
            mode = import_default(self)
            return {**metadata, "Import": mode.value} if mode else metadata
        return metadata

    def _migrate(self, migration: MakeMigration | None, after: IConstruct) -> None:
        decision, asked = self.decision, self._asked
        if decision.action not in COPYING or decision.source is None:
            return
        if migration is None:
            text = (
                f"the data of {decision.source} has to be copied to {asked.preferred}, which "
                "`cdk deploy` does not do: run `dataware deploy`, or `dataware apply` beside it"
            )
            Annotations.of(self).add_warning_v2("dataware:to-be-copied", text)
            return
        copy = Copy(asked.kind.cfn_type, decision.source, asked.preferred, decision.guarded)
        self._copying = migration(self, "Migration", copy)
        self._copying.node.add_dependency(after)


def retained(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties, with a removal policy under which the data outlives the stack."""
    return {"removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, **properties}
