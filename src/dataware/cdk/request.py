"""What the app asks for one resource, checked, in the forms that others read.

This module knows names and settings; it makes no construct and no decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from dataware.calc.words import with_article
from dataware.core.comparison import HIDDEN
from dataware.core.kind import Kind
from dataware.core.model import Creator, ImportMode, OnError, OnFallbackData, Wanted
from dataware.core.names import NameFields, find_mistake, is_arn, localize_names
from dataware.kinds import load

FIELDS = NameFields("preferred_name", "fallback_names", "fallback_names")
TOKENS = ("${Token[", "#{Token[")
"""Stands for a property that is set on the construct and cannot be read at this point."""

Choice = TypeVar("Choice", OnError, OnFallbackData, ImportMode)


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """One resource of the app; None stands for a setting that the app leaves open.

    `schema` holds the CloudFormation properties that tell the key schema; `names_id` says that the
    preferred name is a physical id, which no property holds.
    """

    path: str
    kind: Kind
    preferred: str
    fallbacks: tuple[str, ...] = ()
    on_error: OnError | None = None
    on_fallback_data: OnFallbackData | None = None
    import_mode: ImportMode | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)
    names_id: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """The settings as `Metadata: {Dataware: …}` of the CloudFormation resource."""
        settings = {
            "OnError": self.on_error,
            "OnFallbackData": self.on_fallback_data,
            "Import": self.import_mode if self.kind.template.is_adoptable else ImportMode.REFERENCE,
        }
        chosen = {word: setting.value for word, setting in settings.items() if setting}
        by_id = {"Id": self.preferred} if self.names_id else {}
        return {**by_id, "Fallback": list(self.fallbacks), **chosen}

    @property
    def resource(self) -> dict[str, Any]:
        """The resource as a template would declare it, as far as it is known here."""
        return {
            "Type": self.kind.cfn_type,
            "Properties": {
                **self._name_properties,
                **self.schema,
            },
            "Metadata": {"Dataware": self.metadata, "aws:cdk:path": self.path},
        }

    @property
    def _name_properties(self) -> Mapping[str, Any]:
        """The properties that hold the name; none for a physical id."""
        template = self.kind.template
        if self.names_id:
            return {}
        if template.name_properties is not None:
            return template.name_properties(self.preferred)
        return {template.identifier: self.preferred}

    def in_environment(self, account: str, region: str) -> ResourceRequest:
        """The same with its fallbacks named as in the environment of the stack.

        Raises InputError for an ARN that no look from there can reach.
        """
        wanted = Wanted(self.path, self.kind.cfn_type, self.preferred, self.fallbacks)
        local = localize_names(self.kind, wanted, account, region)
        return replace(self, fallbacks=local.fallbacks)

    def to_wanted(self, stack: str, logical_id: str, otherwise: ImportMode) -> Wanted:
        """The resource as the use cases take it; `otherwise` is how to import by default."""
        # The use cases leave out what is not literal, where they compare it with what there is.
        compared = self.kind.comparison.even_undeclared if self.kind.comparison else ()
        hidden = dict.fromkeys((*self.kind.template.protective, *compared), HIDDEN)
        return Wanted(
            id=self.path,
            type=self.kind.cfn_type,
            preferred=self.preferred,
            fallbacks=self.fallbacks,
            properties={**self.schema, **hidden},
            stack=stack,
            logical_id=logical_id,
            on_error=self.on_error or OnError.SAFE,
            on_fallback_data=self.on_fallback_data or OnFallbackData.MIGRATE,
            import_mode=(self.import_mode or otherwise)
            if self.kind.template.is_adoptable
            else ImportMode.REFERENCE,
            creator=Creator.DEPLOYMENT,
            names_id=self.names_id,
        )


def cdk_property(kind: Kind) -> str:
    """What CDK calls the property that holds the physical name, such as ``bucket_name``."""
    words = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(words, "_", kind.template.identifier).lower()


def ask(
    path: str,
    cfn_type: str,
    *,
    preferred_name: str,
    schema: Mapping[str, Any] | None = None,
    fallback_names: Iterable[str] = (),
    on_error: str | None = None,
    on_fallback_data: str | None = None,
    import_mode: str | None = None,
) -> ResourceRequest:
    """The checked request of one construct. Raises ValueError in one sentence."""
    if isinstance(fallback_names, str):
        fallback_names = (fallback_names,)
    request = ResourceRequest(
        path,
        load(cfn_type),
        preferred_name,
        tuple(fallback_names),
        _choice(path, "on_error", on_error, OnError),
        _choice(path, "on_fallback_data", on_fallback_data, OnFallbackData),
        _choice(path, "import_mode", import_mode, ImportMode),
        schema or {},
        names_id=_has_no_name(load(cfn_type)),
    )
    if request.import_mode is ImportMode.ADOPT and not request.kind.template.is_adoptable:
        raise ValueError(
            f"{path}: CloudFormation cannot adopt {with_article(request.kind.noun)} by its name: "
            "leave import_mode out, and the stack refers to an existing one"
        )
    _check_name(request, "preferred_name", request.preferred)
    for name in request.fallbacks:
        _check_name(request, "fallback_names", name)
    # CDK declares what is preferred, and takes no name for it that could not be created.
    if mistake := find_mistake(
        request.kind, preferred_name, request.fallbacks, FIELDS, created=not request.names_id
    ):
        raise ValueError(f"{path}: {mistake}")
    return request


def _has_no_name(kind: Kind) -> bool:
    """Whether a type goes by its physical id alone."""
    return not kind.template.has_name and kind.template.name_properties is None


def is_token(text: str) -> bool:
    """Whether a string is only known at deployment."""
    return any(mark in text for mark in TOKENS)


def _check_name(request: ResourceRequest, argument: str, name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{request.path}: {argument} must be a string, not {name!r}")
    if is_token(name):
        raise ValueError(
            f"{request.path}: {argument} is a token, which has no value when the data is read, "
            "before the deployment: write the name out"
        )
    if is_arn(name) and argument == "preferred_name":
        raise ValueError(
            f"{request.path}: preferred_name {name!r} is an ARN, which CloudFormation does not "
            f"accept as a name: give the name of the {request.kind.noun} alone"
        )


def _choice(path: str, argument: str, value: str | None, choices: type[Choice]) -> Choice | None:
    if value is None:
        return None
    try:
        return choices(value)
    except ValueError:
        values = " or ".join(repr(choice.value) for choice in choices)
        raise ValueError(f"{path}: {argument} cannot be {value!r}: choose {values}") from None
