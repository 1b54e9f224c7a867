"""Asks AWS what the stacks of a synthesised app would lose; for the validation plug-in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from dataware.aws import Account
from dataware.core.destructive_change import DestructiveChange
from dataware.core.errors import RefusedError
from dataware.core.ports import Wire
from dataware.http.endpoint import Endpoint
from dataware.kinds import kinds_by_type
from dataware.ops.guard import losses, mark_allowed
from dataware.ops.inputs.assembly import MANIFEST, read_assembly
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.template import parse_template
from dataware.ops.inputs.wanted import App


def losses_of(
    templates: Sequence[Path], profile: str | None, allow: Sequence[str]
) -> tuple[tuple[DestructiveChange, ...], list[str], dict[str, str]]:
    """What the stacks of some templates would lose, what was not seen, and each stack's template.

    Raises InputError without credentials.
    """
    app = _app_of(templates)
    region = None if os.environ.get("AWS_REGION") else os.environ.get("CDK_DEFAULT_REGION")
    account = Account.open(_no_wire, profile=profile, region=region)
    findings = losses(account, app)
    marked = mark_allowed(findings.threats, allow)
    return marked, findings.unseen, {stack.key: stack.path for stack in app.stacks}


def _app_of(templates: Sequence[Path]) -> App:
    """The stacks of the assemblies in which the templates stand; a stage is one inside another.

    An assembly that lacks context is passed over: CDK looks it up and runs the app again.
    """
    cards = kinds_by_type()
    folders = {template.parent for template in templates}
    outermost = sorted(one for one in folders if folders.isdisjoint(one.parents))
    whole = [one for one in outermost if not parse_template(one / MANIFEST).get("missing")]
    apps = [read_assembly(folder, cards, ReadOptions()) for folder in whole]
    return App(
        [wanted for app in apps for wanted in app.wanted],
        stacks=tuple(stack for app in apps for stack in app.stacks),
    )


def _no_wire(_access: Endpoint, _on_throttle: Callable[[str], None]) -> Wire:
    raise RefusedError("a synth copies nothing")
