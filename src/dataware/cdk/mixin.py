"""Lets dataware see a resource that CDK's own construct declares, by one call on it.

s3.Bucket(self, "Uploads", bucket_name="uploads-prod").with_(DataAwareMixin(["uploads"]))

The resource then opts in by its metadata, as in a template: `dataware deploy` does the rest. Where
CDK runs the app, a resource whose data would have to be copied first is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import constructs
import jsii
from aws_cdk import CfnResource, Stack

from dataware.cdk.mixin_check import check_at_synth
from dataware.cdk.request import ask, cdk_property
from dataware.cdk.stack_scope import number_of
from dataware.kinds import CATALOGUE, load

KEY = "Dataware"
"""The metadata by which a resource opts in."""

if not hasattr(constructs, "IMixin"):
    raise ImportError(
        "DataAwareMixin needs constructs 10.5 or newer: run `python3 -m pip install --upgrade "
        'constructs`, or call resource.add_metadata("Dataware", {"Fallback": […]}) on the '
        "CfnResource"
    )


@jsii.implements(constructs.IMixin)
class DataAwareMixin:
    """Opts a bucket, table or other known resource in, whether it is an L1 or an L2 construct.

    `fallback_names` are older names under which the data may be, in order of preference; a mixin
    that has some is for one resource. One without opts in all known resources of the construct, but
    those whose type has no name.
    `physical_id` is what a resource goes by that has no name of its own, such as a key, or whose
    name CloudFormation generates. `on_error` is "safe", "no-data" or "stop", `on_fallback_data`
    "migrate" or "import", `import_mode` "adopt" or "reference"; what is left out is the first of
    these words.

    Raises ValueError where a resource has no literal name, a name or setting is wrong, or no
    resource takes the fallback names; `with_` hands these errors on as RuntimeError.
    https://docs.aws.amazon.com/cdk/v2/guide/mixins.html
    """

    def __init__(
        self,
        fallback_names: str | Iterable[str] = (),
        *,
        physical_id: str | None = None,
        on_error: str | None = None,
        on_fallback_data: str | None = None,
        import_mode: str | None = None,
    ) -> None:
        names = (fallback_names,) if isinstance(fallback_names, str) else tuple(fallback_names)
        self._fallbacks = names
        self._physical_id = physical_id
        self._settings: dict[str, Any] = {
            "on_error": on_error,
            "on_fallback_data": on_fallback_data,
            "import_mode": import_mode,
        }
        self._is_for_one = bool(self._fallbacks or physical_id)
        self._says_nothing = not self._is_for_one and not any(self._settings.values())
        self._visited: set[str] = set()
        self._applied: dict[str, str] = {}

    def supports(self, construct: constructs.IConstruct) -> bool:
        """Whether this is a resource of a known type, or a construct around one.

        Raises ValueError where nobody would take the fallback names: CDK itself skips a construct
        that a mixin does not support without a word.
        """
        resource = _find_resource(construct)
        supported = resource is not None and (self._is_for_one or _has_name(resource))
        if not supported and self._is_for_one and not self._follows(construct):
            self._refuse_without_resource(construct)
        self._visited.add(number_of(construct))
        return supported

    def apply_to(self, construct: constructs.IConstruct) -> None:
        """Write the metadata of the resource. Raises ValueError in one sentence."""
        resource = _find_resource(construct)
        if resource is None:
            raise ValueError(_describe_unknown(construct))
        path = _path_of(resource)
        request = ask(
            path,
            resource.cfn_resource_type,
            preferred_name=self._physical_id or _read_name(resource, path),
            fallback_names=self._fallbacks,
            **self._settings,
        )
        if self._physical_id is not None:
            request = replace(request, names_id=True)
        self._claim(resource, path)
        metadata, present = request.metadata, resource.get_metadata(KEY)
        if present is not None and self._says_nothing:
            return  # a mixin for a whole stack leaves what a resource says of itself
        if present not in (None, metadata):
            raise ValueError(
                f"{path} opts in already, with other settings: give all of them to one construct "
                "or mixin"
            )
        resource.add_metadata(KEY, metadata)
        if self._is_for_one:
            check_at_synth(resource, request)

    def _claim(self, resource: CfnResource, path: str) -> None:
        """Refuse a second resource, because one old name cannot hold the data of two."""
        self._applied[number_of(resource)] = path
        if self._is_for_one and len(self._applied) > 1:
            one, other = list(self._applied.values())[:2]
            what = "fallback_names" if self._fallbacks else "a physical_id"
            raise ValueError(
                f"{one} and {other} cannot share {what}: give each a DataAwareMixin of its own"
            )

    def _follows(self, construct: constructs.IConstruct) -> bool:
        """Whether the construct around it was asked about, as `with_` goes down a tree."""
        scope = construct.node.scope
        return scope is not None and number_of(scope) in self._visited

    def _refuse_without_resource(self, construct: constructs.IConstruct) -> None:
        if all(_find_resource(one) is None for one in construct.node.find_all()):
            raise ValueError(_describe_unknown(construct))


def _find_resource(construct: Any) -> CfnResource | None:
    """The resource of a known type that a construct is or declares."""
    while construct is not None and not CfnResource.is_cfn_resource(construct):
        construct = construct.node.default_child
    is_known = construct is not None and construct.cfn_resource_type in CATALOGUE
    return construct if is_known else None


def _has_name(resource: CfnResource) -> bool:
    """Whether the type has a property for the name, so that it can opt in without an id."""
    return load(resource.cfn_resource_type).template.has_name


def _read_name(resource: CfnResource, path: str) -> str:
    """The physical name. Raises ValueError unless it is written out."""
    kind = load(resource.cfn_resource_type)
    argument = cdk_property(kind)
    properties = resource._cfn_properties
    if not kind.template.has_name:
        raise ValueError(
            f"{path} is a {kind.noun}, which has no name in its properties: give its id as "
            "physical_id"
        )
    name_or_token = getattr(resource, argument, None) or properties.get(kind.template.identifier)
    name = Stack.of(resource).resolve(name_or_token)
    if isinstance(name, str):
        return name
    what = "no name" if name is None else "a name that is computed during the deployment"
    raise ValueError(
        f"{path} has {what}: give a literal {argument}, or its present name as physical_id, "
        "because its data is looked at before the deployment"
    )


def _describe_unknown(construct: constructs.IConstruct) -> str:
    one: Any = construct
    what = (
        f"is an {one.cfn_resource_type}, which dataware does not know"
        if CfnResource.is_cfn_resource(one)
        else "declares no resource that dataware knows"
    )
    return f"{one.node.path} {what}: apply DataAwareMixin to one of {', '.join(CATALOGUE)}"


def _path_of(resource: CfnResource) -> str:
    """The path as plans show it, without the part that CDK adds for the resource itself."""
    path = str(resource.node.path)
    return path.removesuffix("/Resource").removesuffix("/Default")
