"""What all data-aware constructs have in common.

A resource is declared under the child id "Default", which CDK leaves out of logical ids. So
``DataAwareBucket(self, "Uploads")`` declares the very resource that ``Bucket(self, "Uploads")``
did, whatever is decided, and an existing stack can change from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from aws_cdk import Annotations, CfnResource
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from dataware.calc.words import with_article
from dataware.cdk.claims import claim
from dataware.cdk.decide import (
    declared_id,
    find_decision,
    import_default,
    is_data_first,
    report,
)
from dataware.cdk.lookup_mode import LookupMode, lookup_mode
from dataware.cdk.options import AUTO, OPTIONS, MigrationSetting
from dataware.cdk.pending_copy import MakeMigration, PendingCopy
from dataware.cdk.reference import report_unused, warn_on_use
from dataware.cdk.request import ask, cdk_property
from dataware.cdk.stack_scope import home_of, path_in, stack_of
from dataware.cdk.versions import KEEPS_BUT_ON_CREATE, RETAIN
from dataware.core.lock_file import FILE
from dataware.core.model import Decision, OnError
from dataware.core.plan import COPYING

CHILD = "Default"
RETAINED = {"removal_policy": RETAIN}
"""The data outlives its stack, unless the app says otherwise."""

WANTED = "dataware:wanted"
CONSTRUCTED = "dataware:constructed"
"""Type of the construct metadata by which an assembly lists resources it only refers to."""


class DataAwareResource(Construct):
    """A stateful resource that looks at its data before it is created.

    The construct of a type says which CloudFormation type it is and which class of CDK declares it.
    All else comes from the card of the type, but what CDK's class does in its own way: how it
    refers to a resource, which methods of a reference do nothing (`_powerless`), and by which
    argument it takes the name where the template calls it otherwise (`_name_argument`, None where a
    type has no name). `_for_references` are options that say where a resource that exists is
    reached, which no declaration takes.
    """

    _cfn_type: ClassVar[str]
    _l2: ClassVar[Any]
    _name_argument: ClassVar[str | None] = ""
    _powerless: ClassVar[Mapping[str, str]] = {}
    _for_references: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, scope: Construct, id: str, preferred_name: str, options: Mapping[str, Any]
    ) -> None:
        super().__init__(scope, id)
        settings = {word: value for word, value in options.items() if word in OPTIONS}
        properties = {word: value for word, value in options.items() if word not in OPTIONS}
        self._home, self._stack = home_of(scope), stack_of(scope)
        self._request = ask(
            path_in(self._home, id),
            self._cfn_type,
            preferred_name=preferred_name,
            schema=self._schema(properties),
            **settings,
        )
        if self._home.nested:
            raise ValueError(
                f"{self._request.path}: the name of a nested stack is not known before the "
                "deployment: move the construct to the stack itself"
            )
        claim(self, self._request, self._home)
        self._entry = find_decision(self, self._request, self._home)
        self._copying: IConstruct | None = None
        copied = self._request.kind.is_copied_in_deployments
        migration = properties.pop("migration", AUTO) if copied else None
        self._resource = self._build(properties, migration)

    @property
    def decision(self) -> Decision:
        """What was decided, by which rule and why; rule 0 where nothing could be decided."""
        return self._entry.decision

    @cached_property
    def migration(self) -> IConstruct:
        """What to depend on to wait for the data; an empty construct if nothing is copied."""
        return self._copying or Construct(self, "Migration")

    def _schema(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The key schema as CloudFormation properties; empty where there is none."""
        del properties
        return {}

    def _refer(self, name: str, properties: dict[str, Any]) -> Any:
        """The resource as one of another owner; takes out of `properties` what has an effect."""
        del properties
        return getattr(self._l2, f"from_{self._name_property}")(self, CHILD, name)

    def _take(self, properties: dict[str, Any], argument: str, name: str) -> Any:
        """An option that a reference cannot do without. Raises ValueError where it is missing."""
        if properties.get(argument) is None:
            raise ValueError(
                f"{self._request.path}: {name} exists, and a reference to it needs {argument}: "
                "give it, or let `dataware deploy` adopt it"
            )
        return properties.pop(argument)

    @property
    def _name_property(self) -> str | None:
        """What CDK calls the property that holds the physical name; None without one."""
        if self._name_argument is None:
            return None
        return self._name_argument or cdk_property(self._request.kind)

    def _declare(self, properties: Mapping[str, Any]) -> Any:
        argument = self._name_property
        name = {} if argument is None else {argument: self._request.preferred}
        declared = {one: properties[one] for one in properties if one not in self._for_references}
        named = {**name, **RETAINED, **declared}
        resource = self._l2(self, CHILD, **named)
        self._confirm(resource, retained="removal_policy" not in properties)
        return resource

    def _build(self, properties: Mapping[str, Any], migration: MigrationSetting) -> Any:
        """The resource as it was decided; declared under a known id, or referred to."""
        self._check(properties, migration)
        resource = self._declare(properties) if self._entry.referenced is None else None
        if name := self._entry.referenced:
            if resource is not None:
                # It was declared on the word of an entry that was made for another place.
                self.node.try_remove_child(CHILD)
            unused = {**properties}
            resource = self._refer(name, unused)
            report_unused(self, name, unused)
            warn_on_use(self, resource, name, self._powerless)
            self._leave_a_note()
        if resource is None:
            raise RuntimeError(f"{self._request.path} is neither declared nor referred to")
        copying = self.decision.action in COPYING
        report(self, self._entry, self._home, silent=copying and migration is None)
        self._refuse_twin()
        self._migrate(migration, resource)
        return resource

    def _check(self, properties: Mapping[str, Any], migration: MigrationSetting) -> None:
        if self._name_property in properties:
            raise ValueError(
                f"{self._request.path}: {self._name_property} is not supported here: give "
                "preferred_name instead"
            )
        if isinstance(migration, str) and migration != AUTO:
            raise ValueError(
                f"{self._request.path}: migration cannot be {migration!r}: leave it out, or give "
                "None or a function such as DataMigration.of"
            )

    def _confirm(self, resource: IConstruct, *, retained: bool) -> None:
        """Opt the declared resource in, and decide again if the decision was for another id."""
        request, element = self._request, resource.node.default_child
        if not isinstance(element, CfnResource):
            raise TypeError(f"{request.path}: CDK declares it by no CloudFormation resource")
        element.add_metadata("Dataware", self._metadata())
        # The assembly tells it from what is declared whatever is decided; the template does not.
        element.node.add_metadata(CONSTRUCTED, {"LogicalId": element.logical_id})
        if retained and not KEEPS_BUT_ON_CREATE:
            # An aws-cdk-lib that does not know the policy writes it out all the same.
            element.add_override("DeletionPolicy", "RetainExceptOnCreate")
        if self._entry.logical_id is not None:
            logical_id = self._stack.get_logical_id(element)
            if logical_id != self._entry.logical_id:
                self._entry = find_decision(self, request, self._home, logical_id)

    def _leave_a_note(self) -> None:
        """Let the assembly tell of a resource that the template does not declare."""
        request = self._request
        logical_id = self._entry.logical_id or declared_id(self, request.kind.cfn_type)
        metadata = {**request.resource["Metadata"], "Dataware": self._settings()}
        note = {"LogicalId": logical_id, "Resource": {**request.resource, "Metadata": metadata}}
        self.node.add_metadata(WANTED, note)

    def _metadata(self) -> dict[str, Any]:
        """The settings for the template; a collecting run also tells the app's default."""
        collects = lookup_mode(self._home) is LookupMode.COLLECT
        return self._settings() if collects else self._request.metadata

    def _settings(self) -> dict[str, Any]:
        """The settings of the construct, with the app's default for what it leaves open."""
        mode, metadata = import_default(self._home), self._request.metadata
        return {"Import": mode.value, **metadata} if mode else metadata

    def _migrate(self, migration: MigrationSetting, after: IConstruct) -> None:
        """Bring what copies the data during the deployment, or an error that says what does."""
        copies = () if is_data_first() else self._copies(getattr(after, "encryption_key", None))
        if migration is None or not copies:
            for copy in copies:
                Annotations.of(self).add_error(self._why_stranded(copy))
            return
        make = _default_migration() if isinstance(migration, str) else migration
        # Not all of the construct: its notifications, for one, wait for the data.
        before = after.node.default_child or after
        for number, copy in enumerate(copies, 1):
            copier = make(self, "Migration" if number == 1 else f"Migration{number}", copy)
            copier.node.add_dependency(before)
            self._copying = before = copier

    def _copies(self, key: kms.IKey | None) -> tuple[PendingCopy, ...]:
        """What the deployment has to copy, or to look at because no synth could."""
        decision, request, entry = self.decision, self._request, self._entry

        def copy(source: str, **more: Any) -> PendingCopy:
            names = (request.kind.cfn_type, source, request.preferred)
            return PendingCopy(*names, decision.no_overwrite, key=key, **more)

        if decision.action in COPYING and decision.source is not None:
            return (copy(decision.source, size=entry.size),)
        if not request.kind.is_copied_in_deployments or request.on_error is OnError.NO_DATA:
            return ()
        if entry.unread_names:
            Annotations.of(self).add_info(
                f"{FILE} knows of no data for {request.preferred}, and this synth cannot check "
                f"again: the deployment checks {', '.join(entry.unread_names)}, and copies what "
                "is there"
            )
        return tuple(copy(name, if_needed=True) for name in entry.unread_names)

    def _refuse_twin(self) -> None:
        """Add an error where the app's own settings leave data beside an empty resource.

        Not where nothing can be copied, so that there is no way out.
        """
        request, names = self._request, self._entry.stranded
        if not request.kind.is_copied_in_deployments or not names:
            return
        copy = PendingCopy(request.kind.cfn_type, names[0], request.preferred, no_overwrite=True)
        Annotations.of(self).add_error(
            f"{request.preferred} is empty, {', '.join(names)} holds data, and "
            f'on_fallback_data="{request.on_fallback_data}" forbids copying it: leave that out, '
            f"{copy.advice}, or remove the name from fallback_names"
        )

    def _why_stranded(self, copy: PendingCopy) -> str:
        reason = (
            f"the data of {copy.source} has to be copied to {copy.target}"
            if not copy.if_needed
            else f"{copy.source} may hold data by now that has to be copied to {copy.target}"
        )
        kind = self._request.kind
        keeps = "migration=None keeps this deployment from it"
        if not kind.is_copied_in_deployments:
            keeps = f"no deployment copies {with_article(kind.noun)}"
        return f"{reason}, and {keeps}: {copy.advice}"


def _default_migration() -> MakeMigration:
    """`DataMigration.of`; what it is made of takes half a second to import."""
    from dataware.cdk.migration import DataMigration  # noqa: PLC0415 - takes half a second

    return DataMigration.of
