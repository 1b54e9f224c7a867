"""Looks at the data of what a mixin opts in, where CDK itself runs the app.

A resource with a mixin stays declared whatever is decided, and nothing copies during its
deployment. `dataware deploy` looks and copies first; a plain ``cdk deploy`` would create an empty
resource beside the data. So the app is looked at as it is for the constructs, and what must not be
deployed becomes an error on the resource, at which CDK stops:

    decision          what the app gets
    migrate, resume   an error: run `dataware deploy`
    stop              the error of the stop
    not decided       a warning, because `dataware deploy` decides it: a synth needs no credentials
    any other         nothing
"""

from __future__ import annotations

import os
from typing import Any

import jsii
from aws_cdk import Annotations, Aspects, CfnResource, IAspect, Stack
from constructs import IConstruct

from dataware.cdk.decide import UNDECIDED, find_decision, report
from dataware.cdk.request import ResourceRequest
from dataware.cdk.stack_scope import home_of
from dataware.cdk.versions import add_warning
from dataware.core.lock_file import LockEntry
from dataware.core.model import Action
from dataware.core.plan import COPYING, RUN

DEPLOY = "deploy with `dataware deploy`, which copies first"


def check_at_synth(resource: CfnResource, request: ResourceRequest) -> None:
    """Have CDK look at the data of a resource before it writes the template.

    Not where dataware runs the app, which looks itself, nor where no deployment can follow, as in
    a test of the app.
    """
    if os.environ.get("CDK_OUTDIR") and not os.environ.get(RUN):
        Aspects.of(resource).add(_DataCheck(request))


@jsii.implements(IAspect)
class _DataCheck:
    """Annotates one resource. At its visit the whole app is declared, and its id is final."""

    def __init__(self, request: ResourceRequest) -> None:
        self._request = request

    def visit(self, node: IConstruct) -> None:
        """Annotate the resource, and nothing that stands below it."""
        if CfnResource.is_cfn_resource(node):
            _check(node, self._request)


def _check(resource: Any, request: ResourceRequest) -> None:
    home = home_of(resource.node.scope)
    if home.nested:
        unseen = "the name of a nested stack is not known before the deployment"
        _warn(resource, f"{request.preferred} was not looked at: {unseen}")
        return
    logical_id = Stack.of(resource).resolve(resource.logical_id)
    entry = find_decision(resource, request, home, logical_id)
    if entry.decision.action is Action.STOP and entry.decision.rule == UNDECIDED:
        _warn(resource, f"{request.preferred} was not looked at: {entry.decision.reason}")
        return
    report(resource, entry, home, silent=True)
    if reason := _why_empty(entry):
        Annotations.of(resource).add_error(f"{reason}: {DEPLOY}")
    elif entry.unread_names:
        names = ", ".join(entry.unread_names)
        _warn(resource, f"{names} may hold data by now that belongs into {request.preferred}")


def _why_empty(entry: LockEntry) -> str:
    """Why a plain deployment would leave data beside an empty resource; empty if it does not."""
    source = entry.decision.source
    if entry.decision.action in COPYING:
        return f"the data of {source} has to be copied to {entry.preferred}"
    if names := entry.stranded:
        return f"{entry.preferred} would stay empty, and {', '.join(names)} holds data"
    return ""


def _warn(resource: IConstruct, reason: str) -> None:
    add_warning(resource, "dataware:not-looked-at", f"{reason}; {DEPLOY}")
