"""A validation plug-in: synth fails if a stack would lose a resource that holds data.

App(policy_validation_beta1=[DataGuard()])

It looks at the deployed stacks, and so it asks AWS at every synth, also with a lock file.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import jsii
from aws_cdk import (
    IPolicyValidationContextBeta1,
    IPolicyValidationPluginBeta1,
    PolicyValidationPluginReportBeta1,
    PolicyViolatingResourceBeta1,
    PolicyViolationBeta1,
)

from dataware import __version__
from dataware.cdk.lookup_mode import LookupMode
from dataware.cdk.stack_scope import LOOKUP
from dataware.core.destructive_change import RULE, DestructiveChange
from dataware.core.errors import DatawareError
from dataware.core.guard import ALLOWED
from dataware.core.plan import LOOKUP_VARIABLE

RULE_NAME = f"dataware-{RULE}"
UNSEEN = "dataware-unseen"


@jsii.implements(IPolicyValidationPluginBeta1)
class DataGuard:
    """Fails synth when a resource that holds data would leave its stack, be renamed or replaced.

    `allow_loss` names the resources that may be lost, by logical id or STACK/LOGICAL_ID, beside
    those that `dataware deploy --allow-loss` names. What cannot be looked at, for want of
    credentials most of all, is a warning; with `strict` it fails synth as well.
    """

    def __init__(
        self, *, strict: bool = False, allow_loss: Sequence[str] = (), profile: str | None = None
    ) -> None:
        self._strict = strict
        self._allow_loss = (*allow_loss, *filter(None, os.environ.get(ALLOWED, "").split(",")))
        self._profile = profile

    @property
    def name(self) -> str:
        """The name in CDK's report."""
        return "dataware"

    @property
    def version(self) -> str:
        """The version of dataware."""
        return __version__

    @property
    def rule_ids(self) -> list[str]:
        """The rules that this plug-in checks."""
        return [RULE_NAME]

    def validate(self, context: IPolicyValidationContextBeta1) -> PolicyValidationPluginReportBeta1:
        """Look at what the deployed stacks have, and compare."""
        if _is_collected(context):
            return PolicyValidationPluginReportBeta1(success=True, violations=[])
        # A synth without this plug-in loads no AWS SDK.
        from dataware.cdk.losses import losses_of  # noqa: PLC0415 - see above

        templates = [Path(path) for path in context.template_paths]
        try:
            threats, unseen, paths = losses_of(templates, self._profile, self._allow_loss)
        except DatawareError as error:
            threats, unseen, paths = (), [f"the guard could not read any stack: {error}"], {}
        for text in unseen:
            warnings.warn(f"dataware: {text}", stacklevel=2)
        stops = [_violation(one, paths) for one in threats if not one.allowed]
        if self._strict:
            stops += [_unseen(text, templates) for text in unseen]
        return PolicyValidationPluginReportBeta1(
            success=not stops,
            violations=stops,
            plugin_version=__version__,
            metadata={"warning": "; ".join(unseen)} if unseen else None,
        )


def _is_collected(context: IPolicyValidationContextBeta1) -> bool:
    """Whether dataware itself runs the app, which it guards with options of its own."""
    mode = os.environ.get(LOOKUP_VARIABLE) or context.app_construct.node.try_get_context(LOOKUP)
    return mode == LookupMode.COLLECT


def _violation(threat: DestructiveChange, paths: dict[str, str]) -> PolicyViolationBeta1:
    return PolicyViolationBeta1(
        rule_name=RULE_NAME,
        description=f"{threat.name}: {threat.reason}",
        fix=threat.recipe,
        violating_resources=[
            PolicyViolatingResourceBeta1(
                resource_logical_id=threat.logical_id,
                template_path=paths[threat.key],
                locations=[],
            )
        ],
    )


def _unseen(text: str, templates: Sequence[Path]) -> PolicyViolationBeta1:
    folder = os.path.commonpath(templates)
    return PolicyViolationBeta1(
        rule_name=UNSEEN,
        description=text,
        fix="give credentials that may read the stack, or leave `strict` out",
        violating_resources=[
            PolicyViolatingResourceBeta1(resource_logical_id="", template_path=folder, locations=[])
        ],
    )
