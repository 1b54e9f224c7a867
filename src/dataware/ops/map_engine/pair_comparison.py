"""Compares two resources by workers of their own, without a migration.

The stack is called by a hash of the pair, so the same command finds what an earlier one began: the
plans of its steps lie in the bucket, and the newest of them names the execution. The workers may
read both sides and nothing else. A verdict is given whatever becomes of the workers then, and what
stays of them is never a part of the next one, but on record until somebody removes it.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from hashlib import blake2b
from uuid import uuid4

from dataware.calc.pauses import growing_pauses
from dataware.core.copier import CopyOrder
from dataware.core.engines.card import EngineName
from dataware.core.engines.map_card import MAP_WORKERS
from dataware.core.engines.port import JobProgress
from dataware.core.errors import DatawareError, IncompleteError, InputError, NotFoundError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.ops.context import ComparisonSpec, Context, CopySettings, aws_of
from dataware.ops.map_engine.comparison_record import ComparisonRecord
from dataware.ops.map_engine.execution import MapExecution
from dataware.ops.map_engine.leftovers import place_of_workers
from dataware.ops.map_engine.stack import WorkersStack
from dataware.ops.map_engine.state_machine import LONGEST_DAYS
from dataware.ops.map_engine.template import make_comparison_template
from dataware.ops.map_engine.verification import PART, MapVerification, VerificationDesk
from dataware.ops.migration_job import MigrationJob
from dataware.ops.verify import sides_of
from dataware.verify.verdict import Verdict

TELL_SECONDS = 10.0
UNSEEN_LOOKS = 20
"""How often an execution that was begun may be looked for in vain."""

PLAN = re.compile(r"(v(\d+)-[0-9a-f]+)/before\.json")
"""Where the plan of an execution lies, with its name and its number."""

CONCLUDED = "concluded"
"""What lies beside the plan of the last execution, once a command has given the verdict."""


def compare_by_workers(context: Context, kind: Kind, pair: ComparisonSpec) -> Verdict:
    """Compare both sides by workers, and remove them. Raises InputError for what they cannot.

    Raises IncompleteError where a part was not compared; the workers stay for the next command.
    """
    _check_comparable(context, kind, pair)
    return PairComparison(context, kind, pair).compare()


def _check_comparable(context: Context, kind: Kind, pair: ComparisonSpec) -> None:
    cards = kind.require_copying().engines() if kind.copying else ()
    if not any(card.name is EngineName.MAP for card in cards):
        raise InputError(f"cannot compare a {kind.short} by workers; leave out --engine")
    for side in (pair.source, pair.target):
        if side.owner != context.aws.account or side.profile or side.requester_pays:
            raise InputError(
                f"cannot compare {side.name} by workers in account {context.aws.account}: they do "
                "not read another account, nor with --source-profile or --request-payer; leave out "
                "--engine"
            )
    if pair.deep:
        raise InputError(
            "workers cannot compare every byte, because one object may take longer than the 15 "
            "minutes of a worker: leave out --deep or --engine"
        )


def name_comparison(pair: ComparisonSpec) -> str:
    """What the workers of a pair are called, the same for the same pair."""
    text = json.dumps(asdict(pair), sort_keys=True).encode()
    return f"verify-{blake2b(text, digest_size=6).hexdigest()}"


class PairComparison:
    """The comparison of one pair by workers."""

    def __init__(self, context: Context, kind: Kind, pair: ComparisonSpec) -> None:
        self._context = context
        self._kind = kind
        self._pair = pair
        name = name_comparison(pair)
        self._place = place_of_workers(context, name)
        self._record = ComparisonRecord(context, pair, name, PART)
        self._forget = f"`dataware forget {name}`"
        self._stack = WorkersStack(context.aws, self._place)
        self._words = {"source": pair.source.name, "name": pair.target.name}
        self._number = 0
        self._newest = ""

    def compare(self) -> Verdict:
        """Have the workers, let them compare, and remove them. Raises what ends it before."""
        with self._record.hold():
            try:
                self._deploy()
                verdict = self._compare()
            except (DatawareError, KeyboardInterrupt) as error:
                if self._forget not in str(error):
                    text = f"{self._parts} stay, as far as they were made, for the same command"
                    self._emit("warning", text=f"{text}; {self._forget} removes them")
                raise
            # Another command may have begun since, whose workers these are by now.
            self._record.confirm()
            self._remove()
        return verdict

    def _deploy(self) -> None:
        pair = self._pair
        order = CopyOrder(pair.source, pair.target, all_versions=pair.all_versions)
        if self._stack.deploy(make_comparison_template(self._kind, order, self._place)):
            self._emit("note", text=f"deployed the workers {self._place.stack}")

    def _compare(self) -> Verdict:
        context, kind, pair = self._context, self._kind, self._pair
        desk = VerificationDesk(
            self._find_earlier, self._begin, self._open, self._describe_job, self._watch
        )
        sides = sides_of(kind, pair, partial(aws_of, context))
        made = MapVerification(context, sides, desk, self._words)
        return made.compare(ordered=kind.require_copying().ordered)

    def _remove(self) -> None:
        """Remove the workers, or name what stays: both sides are compared, whatever becomes of it.

        Raises LookupFailedError where the next command would take this verdict for its own.
        """
        try:
            self._stack.remove()
        except DatawareError as error:
            with suppress(NotFoundError):
                self._stack.put(f"{self._newest}/{CONCLUDED}", b"{}")
            text = f"cannot remove {self._parts} ({error}); {self._forget} tries again"
            self._emit("warning", text=text)
            self._record.keep_failure(error)
            return
        self._record.conclude()
        self._emit("note", text=f"removed the workers {self._place.stack}")

    @property
    def _parts(self) -> str:
        return f"the stack {self._place.stack} and the bucket {self._place.bucket}"

    def _find_earlier(self) -> MapExecution | None:
        """The execution of the newest plan, unless a command has concluded with it."""
        keys = self._stack.bucket.list_etags("v")
        plans = [(int(one[2]), one[1]) for one in map(PLAN.fullmatch, keys) if one]
        if not plans:
            return None
        self._number, self._newest = max(plans)
        return None if f"{self._newest}/{CONCLUDED}" in keys else self._open(self._newest)

    def _begin(self) -> MapExecution:
        """The next one, of a name that no stack of this pair has had before.

        Source: AWS Step Functions API Reference, StartExecution: names are unique for 90 days.
        """
        self._number += 1
        self._newest = f"v{self._number}-{uuid4().hex[:8]}"
        self._record.keep_execution(self._newest)
        return self._open(self._newest)

    def _open(self, name: str) -> MapExecution:
        return MapExecution(self._context.aws, self._place, name)

    def _describe_job(self, workers: int) -> MigrationJob:
        return MigrationJob(
            self._kind.cfn_type,
            self._pair.source,
            self._pair.target,
            CopySettings(all_versions=self._pair.all_versions),
            self._newest,
            self._context.clock.now() + LONGEST_DAYS * 24 * 3600,
            workers=max(1, min(MAP_WORKERS, workers)),
            compares_only=True,
        )

    def _watch(self, execution: MapExecution) -> str:
        """Wait until an execution has ended; why it ended early, in a clause, empty if it did not.

        Raises IncompleteError once a person asks to stop.
        """
        try:
            progress = self._await_end(execution)
        except IncompleteError as error:
            if not self._context.stop():
                raise
            execution.stop()
            self._record.end_progress()
            raise IncompleteError(
                f"stopped the workers of the execution {execution.name}; run the same command "
                f"again to resume, or {self._forget} to give up"
            ) from error
        if not progress.problem:
            return ""
        problem = f"the execution {execution.name} ended early ({progress.problem})"
        self._emit("warning", text=problem)
        return problem

    def _await_end(self, execution: MapExecution) -> JobProgress:
        clock, unseen = self._context.clock, 0
        reported_at = clock.monotonic()
        for seconds in growing_pauses():
            progress = execution.look()
            self._record.check()
            if progress is not None and progress.ended:
                return progress
            if progress is not None:
                self._record.publish_progress(progress)
            unseen = unseen + 1 if progress is None else 0
            if unseen == UNSEEN_LOOKS:
                break
            if progress is not None and clock.monotonic() - reported_at >= TELL_SECONDS:
                reported_at = clock.monotonic()
                numbers = {"done": progress.done, "total": progress.total, "unit": PART}
                self._emit("job-progress", state=progress.state, **numbers)
            self._context.aws.pause(seconds)
        raise IncompleteError(
            f"the execution {execution.name} was begun and is not seen; run the same command again "
            "to resume"
        )

    def _emit(self, code: str, **fields: object) -> None:
        self._context.emit(event(code, **fields, **self._words))
