"""Asks AWS for what the lock file does not say: the only module of `dataware.cdk` that does.

Where the CDK command line runs the app, the app is run once more beforehand, to collect what all
of its constructs want, and all names are looked at together. Otherwise (a test that calls
`app.synth()`) each construct is looked up on its own. Nothing is ever changed from here.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dataware.aws import Account, BotocoreTransport, SystemClock
from dataware.cdk.lookup_mode import LookupMode
from dataware.cdk.stack_scope import IMPORT
from dataware.core.errors import DatawareError, InputError, RefusedError
from dataware.core.guard import ALLOWED
from dataware.core.kind import Kind
from dataware.core.lock_file import (
    Environment,
    LockEntry,
    LockFile,
    lock_entries,
    lock_key,
    parse_entry,
)
from dataware.core.model import ImportMode, Wanted
from dataware.core.names import localize_names
from dataware.core.plan import LOOKING, LOOKUP_VARIABLE, RUN, Planned
from dataware.core.ports import Wire
from dataware.http.endpoint import Endpoint
from dataware.kinds import kinds_by_type, load
from dataware.ops.adoption import mark_allowed_losses
from dataware.ops.context import Context, CreationWatch, TargetToMake
from dataware.ops.decision_events import report_decision
from dataware.ops.inputs.assembly import read_declarations, read_logical_ids
from dataware.ops.inputs.cdk_app import QUICK_CONTEXT, QUICK_ENVIRON, run_app
from dataware.ops.inputs.wanted import Overrides
from dataware.ops.plan import make_plan
from dataware.ops.renames import stop_moves, stop_renames
from dataware.report import Format, make_renderer
from dataware.report.choose import Renderer
from dataware.state import ParameterMarkers
from dataware.wire import open_wire

Entries = dict[str, LockEntry]

Declared = Mapping[str, frozenset[str]]
"""The logical ids that each stack of an app declares, by its name."""

_FOUND: dict[tuple[str, Environment], Entries | DatawareError] = {}
"""What was found for the whole app, by its output folder and environment; a failure is kept too,
because a hundred constructs would only repeat it."""


def look_up(wanted: Wanted, environment: Environment, lock: LockFile) -> LockEntry:
    """The decision on one resource, as of now. Raises DatawareError."""
    key = lock_key(wanted.type, wanted.preferred)
    if output := os.environ.get("CDK_OUTDIR"):
        entry = _together(output, environment, wanted.import_mode, lock).get(key)
        if entry and _is_for(entry, wanted):
            return entry
    return _decide_now([wanted], environment)[key]


def _is_for(entry: LockEntry, wanted: Wanted) -> bool:
    declared = (wanted.stack, wanted.logical_id, wanted.fallbacks)
    return (entry.stack, entry.logical_id, entry.fallbacks) == declared


def _together(
    output: str, environment: Environment, otherwise: ImportMode, lock: LockFile
) -> Entries:
    """The decisions on everything in an environment for which the lock file has none."""
    entries = _FOUND.get((output, environment))
    if entries is None:
        try:
            collected, declared = _collect_resources(environment, otherwise)
            wanted = [one for one in collected if not _is_locked(one, environment, lock)]
            entries = _decide_now(wanted, environment, declared)
        except DatawareError as error:
            entries = error
        _FOUND[output, environment] = entries
    if isinstance(entries, DatawareError):
        raise entries
    return entries


def _is_locked(wanted: Wanted, environment: Environment, lock: LockFile) -> bool:
    entry = lock.entry(environment, load(wanted.type), wanted.preferred)
    return entry is not None and _is_for(entry, wanted) and entry.is_settled


def _collect_resources(
    environment: Environment, otherwise: ImportMode
) -> tuple[list[Wanted], Declared]:
    """What the app wants in an environment, and the logical ids that its stacks declare there.

    Runs the app as it was started.
    """
    cards = kinds_by_type()
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON") or "{}")
    with tempfile.TemporaryDirectory(prefix="dataware-collect-") as output:
        environ = {
            **os.environ,
            **QUICK_ENVIRON,
            LOOKUP_VARIABLE: LookupMode.COLLECT.value,
            RUN: LOOKING,
            "CDK_OUTDIR": output,
            "CDK_CONTEXT_JSON": json.dumps({**context, **QUICK_CONTEXT, IMPORT: otherwise.value}),
        }
        run_app([sys.executable, *sys.orig_argv[1:]], Path.cwd(), environ)
        stacks = read_declarations(Path(output), cards, Overrides(), incomplete=True)
        ids = read_logical_ids(Path(output), incomplete=True)
    here = environment.account, environment.region
    wanted = [
        localize_names(cards[one.type], one, *here)
        for place, of_stack in stacks
        if place.allows(*here)
        for one in of_stack
    ]
    return wanted, {name: of_stack for place, name, of_stack in ids if place.allows(*here)}


def _decide_now(
    wanted: Sequence[Wanted], environment: Environment, declared: Declared | None = None
) -> Entries:
    """The decisions on some resources, as of now; `declared` as far as the whole app is known."""
    clock = SystemClock()
    account = Account.open(_open_wire, region=environment.region)
    if account.account != environment.account:
        raise InputError(
            f"the stack goes to account {environment.account}, but the credentials are of account "
            f"{account.account}: choose others with AWS_PROFILE, or run `dataware plan --lock`"
        )
    with _renderer() as emit:
        context = Context(
            aws=account,
            markers=ParameterMarkers(account, clock),
            clock=clock,
            emit=emit,
            hold=_Nothing(),
            move=_move,
        )
        wanted = mark_allowed_losses(wanted, _allowed_losses())
        plan = make_plan(context, wanted, report=False)
        plan = stop_renames(account, plan, _allowed_losses())
        plan = stop_moves(plan, declared or {}, _allowed_losses())
    planned = {lock_key(one.wanted.type, one.wanted.preferred): one for one in plan.resources}
    return {
        key: replace(
            parse_entry(planned[key].wanted.preferred, entry),
            report_decision=_make_report(planned[key]),
        )
        for key, entry in lock_entries(plan).items()
    }


def _make_report(planned: Planned) -> Callable[[], None]:
    """Reports a decision, once it is known what the construct makes of it."""

    def report() -> None:
        with _renderer() as emit:
            report_decision(emit, planned)

    return report


def _renderer() -> Renderer:
    plain = bool(os.environ.get("NO_COLOR"))
    return make_renderer(Format.TEXT, sys.stderr, plain=plain, no_color=plain, is_tty=False)


def _allowed_losses() -> frozenset[str]:
    """What `dataware deploy --allow-loss` lets go."""
    return frozenset(filter(None, os.environ.get(ALLOWED, "").split(",")))


def _move(context: Context, region: str) -> Context:
    """The context of another region, whose records lie there."""
    aws = context.aws.for_region(region)
    return replace(context, aws=aws, markers=ParameterMarkers(aws, context.clock))


class _Nothing:
    """Stands where resources are created: a synth creates none."""

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """Refuse."""
        kind, wanted = targets[0]
        raise RefusedError(f"a synth does not create the {kind.noun} {wanted.preferred}")

    def release(self, kind: Kind, name: str) -> bool:
        """Refuse."""
        raise RefusedError(f"a synth does not touch the {kind.noun} {name}")


def _open_wire(access: Endpoint, on_throttle: Callable[[str], None]) -> Wire:
    return open_wire(BotocoreTransport(access), access, SystemClock(), on_throttle)
