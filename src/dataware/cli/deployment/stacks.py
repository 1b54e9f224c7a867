"""The stacks of the app that one deployment deploys: those that CDK itself would choose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataware.cli.app import app_of
from dataware.cli.deployment.cdk_cli import Cdk, escape_pattern
from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.cli.deployment.credentials import AccountCredentials, read_credentials
from dataware.cli.deployment.plan import given_parameters
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.errors import InputError
from dataware.core.events import event
from dataware.ops.context import Context
from dataware.ops.inputs.assembly import Stack, read_stacks
from dataware.ops.inputs.selection import StackSelection, is_literal, select_stacks, stacks_named
from dataware.ops.inputs.wanted import App


@dataclass(frozen=True, slots=True)
class ChosenStacks:
    """What is deployed: the paths of the stacks, what they hold, and what to say about it.

    `credentials` lead into the accounts to which they go.
    """

    ids: tuple[str, ...]
    app: App
    notes: tuple[str, ...]
    credentials: AccountCredentials


def choose_stacks(
    out: AwsOptions, app: AppOptions, arguments: CdkArguments, cdk: Cdk, assembly: Path
) -> ChosenStacks:
    """The stacks that CDK would deploy, read as they are before any decision.

    Raises InputError where CDK would refuse to deploy them.
    """
    stacks = read_stacks(assembly)
    if not stacks:
        raise InputError("the app has no stack, so there is nothing to deploy")
    selection = selection_of(stacks, app, arguments)
    chosen = select_stacks(stacks, selection, cdk.match)
    for stack in chosen:
        if stack.errors:
            raise InputError(
                f"nothing was changed, because the app finds an error in stack {stack.id}, with "
                f"which CDK deploys nothing: {stack.errors[0]}"
            )
    ids = tuple(stack.id for stack in chosen)
    credentials = read_credentials(out, app.credentials, chosen)
    loaded = app_of(
        out,
        replace(app, app=assembly, stack=None, exclusively=False, context=(), cdk_app=None),
        guarding=True,
        select=lambda stacks: [stack for stack in stacks if stack.id in ids],
        parameters=given_parameters(arguments),
        open_aws=credentials.open_aws,
    )
    return ChosenStacks(ids, loaded, tuple(_remarks(stacks, chosen, selection)), credentials)


def report_notes(context: Context, chosen: ChosenStacks) -> None:
    """Say what a person may not expect of the selection."""
    for note in chosen.notes:
        context.emit(event("note", text=note))


def selection_of(
    stacks: Sequence[Stack], app: AppOptions, arguments: CdkArguments
) -> StackSelection:
    """The stacks that both command lines name. Raises InputError."""
    return StackSelection(
        (*arguments.stacks, *(escape_pattern(one) for one in _ids_of(stacks, app.stack))),
        all=arguments.is_set("all"),
        exclusively=arguments.is_set("exclusively") or app.exclusively,
    )


def _ids_of(stacks: Sequence[Stack], name: str | None) -> list[str]:
    if name is None:
        return []
    return [stack.id for stack in stacks_named(stacks, name, exclusively=True)]


def _remarks(
    stacks: Sequence[Stack], chosen: Sequence[Stack], selection: StackSelection
) -> Iterator[str]:
    """What a person may not expect of a selection."""
    ids = {stack.id for stack in stacks}
    for pattern in selection.patterns:
        if is_literal(pattern) and pattern not in ids:
            yield f"No stack of the app matches {pattern}, so it is skipped, as in CDK"
    if not selection.all and selection.patterns and not selection.exclusively:
        yield f"Stacks, with their dependencies: {', '.join(stack.id for stack in chosen)}"
