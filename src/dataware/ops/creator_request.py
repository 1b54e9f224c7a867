"""How a run asks a service for its target: what comes before the request, and the request itself.

Whatever an earlier run has asked for is looked at first, so that it is asked for once. It may have
failed unwatched: then the same run asks again, because no one else would hear of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self, TypeVar

from dataware.calc.measures import duration
from dataware.calc.words import list_words
from dataware.core.engines.card import LEFTOVERS, PARTS, REFUSED, EngineName
from dataware.core.engines.port import (
    CreationProgress,
    Preparation,
    Record,
    TargetCreator,
    WorkFigures,
)
from dataware.core.engines.unfinished_work import list_leftovers
from dataware.core.errors import DatawareError, IncompleteError, RefusedError, ServiceError
from dataware.core.model import Wanted
from dataware.ops.engine_run import EngineRun

FAILED = "failed"
"""What a record calls that the work has failed, so that the next run asks for it again."""

UNSEEN_LOOKS = 8
"""How often what was asked for may be looked for in vain, for half a minute: it may not be seen at
first (Amazon DynamoDB API Reference, DescribeTable: "DescribeTable uses an eventually consistent
query")."""

NOT_BEGUN = CreationProgress(exists=False, done=False)

Step = TypeVar("Step", CreationProgress, Preparation)


def skip_unknown(looks: Iterable[Step]) -> Iterator[Step]:
    """The looks but the first ones at what its service does not know, perhaps only not yet.

    What was just asked for would be asked for once more, and both would go on.
    """
    unknown = 0
    for step in looks:
        unknown = unknown + 1 if step.unknown else 0
        if not 0 < unknown <= UNSEEN_LOOKS:
            yield step


class CreatorRequest(EngineRun):
    """The steps up to the request for a target that a service makes, or fills."""

    _creator: TargetCreator
    _wanted: Wanted
    _refused = "changed"
    """What was not done yet where an engine is refused."""

    _was_whole = False
    """Whether the target was whole before this run, so that others may have written to it."""

    def use(self, engine: EngineName, creator: TargetCreator, wanted: Wanted) -> Self:
        """The same steps, with what makes the target, and what is declared of it."""
        self._engine, self._creator, self._wanted = engine, creator, wanted
        return self

    def _ask(self) -> None:
        """Have the target asked for, unless an earlier run has done so and it goes on.

        What an earlier run has asked for may have failed since, and is asked for again, once.
        """
        begun = self._begun
        progress = self._look_at(begun)
        if progress.exists and not progress.failed:
            self._record, self._was_whole = begun, progress.done
            self._report_begun(self._creator.words.resumes)
            return
        is_earlier = bool(begun) and not begun.get(FAILED) and not progress.failed
        self._request(self._without_failed(begun, progress), is_earlier=is_earlier)
        # The same request may have led to the same work, of which nothing else was on record.
        if is_earlier and (progress := self._look_at(self._record)).failed:
            self._request(self._without_failed(self._record, progress), is_earlier=False)

    def _look_at(self, record: Record) -> CreationProgress:
        """How far the work in a record is; nothing without one."""
        target = self._migration.order.target
        looks = self._observe(lambda: self._creator.look(record, target) if record else NOT_BEGUN)
        return next(skip_unknown(looks))

    def _without_failed(self, record: Record, progress: CreationProgress) -> Record:
        """A record that says so where its work has failed, so that another one is asked for."""
        if not progress.failed:
            return record
        what = f"the {self._noun} into {self._migration.order.target.name}"
        return self._give_up(record, what, progress.problem)

    def _request(self, begun: Record, *, is_earlier: bool) -> None:
        """Ask for the target, with what `begun` has of an earlier request."""
        target = self._migration.order.target
        self._keep(self._await_request(begun))
        self._prepare(is_earlier=is_earlier)
        self._await_resumption()
        self._check_target()
        self._publish_work(WorkFigures("asked for"), self._migration.kind.unit)
        try:
            self._keep(
                self._creator.begin(
                    self._record, self._migration.order.source, target, self._wanted.properties
                )
            )
        except IncompleteError:
            raise  # the request may have got through, so the record has to find it again
        except DatawareError:
            is_bare = not self._creator.list_parts(self._record)
            if is_bare and not self._creator.look(self._record, target).exists:
                self._forget_work()  # nothing has begun, so that another engine may
            raise
        self._report_begun(self._creator.words.begins)

    def _give_up(self, record: Record, what: str, problem: str) -> Record:
        """Have on record that what an earlier run asked for failed while it was not watched."""
        if not record.get(FAILED):
            self._warn(f"{what}, which an earlier run asked for, failed ({problem}); asking again")
        return self._keep({**record, FAILED: True})

    def _check_target(self) -> None:
        """Raise IncompleteError where the work would replace something; a new target is empty."""

    def _report_begun(self, code: str) -> None:
        self._emit(code, time=self._creator.describe(self._record))

    def _await_request(self, begun: Record) -> Record:
        """Wait until the service can give the source as it is now."""
        # By the clock of a machine that is ahead of AWS it would be waited for that long.
        since, asked_at = self._keeper.service_time, self._context.clock.now()
        order = self._migration.order
        looks = self._observe(
            lambda: self._creator.find_request(order.source, order.target, since, begun)
        )
        for number, request in enumerate(looks):
            if request is not None:
                break
            if number == 0:
                self._note(
                    f"waiting until {order.source.name} can be {self._creator.words.done} as it is "
                    "now, some 5 minutes"
                )
        return {"asked_at": round(asked_at), **(request or {})}

    def _prepare(self, *, is_earlier: bool) -> None:
        """Wait until the target can be asked for. Raises IncompleteError, also on a stop.

        What an earlier run has asked for may have failed since, and is then asked for again.
        """
        begins, goes_on, ends = self._creator.words.prepares or ("", "", "")
        source = self._migration.order.source
        self._await_resumption()
        looks = self._watch_work(
            lambda: self._creator.prepare(self._record, source),
            self._migration.kind.unit,
            lambda _step: self._report_age(goes_on),
        )
        noun, stays = f"the preparation of the {self._noun}", "and cannot be cancelled"
        with self._explain_stop(lambda: self._stopped_error(noun, stays)):
            for number, step in enumerate(skip_unknown(looks)):
                if begins and number == 0 and not step.ready and not step.problem:
                    self._report_begun(begins)
                if step.problem and is_earlier and number == 0:
                    self._keep(self._await_request(self._give_up(step.record, noun, step.problem)))
                elif not self._take(step):
                    break
        if ends:
            self._report_begun(ends)

    def _take(self, step: Preparation) -> bool:
        """Keep what a step has made ready; whether there is more.

        Raises IncompleteError where it failed, and RefusedError where it leads to nothing.
        """
        if step.problem:
            self._keep({**step.record, FAILED: True})
            raise IncompleteError(
                f"could not prepare the {self._noun} of {self._migration.order.target.name} "
                f"({step.problem}); fix that, and run the same command again"
            )
        if step.refusal:
            self._clean()
            self._forget_work()
            raise RefusedError(
                f"nothing was {self._refused}, because {step.refusal}; fix that and run the same "
                "command again, or run it with --engine local"
            )
        if step.record != self._record:
            self._keep(step.record)
        return not step.ready

    def _report_age(self, code: str) -> None:
        """Tell that the work goes on, and for how long."""
        if code:
            age = self._context.clock.now() - self._record["asked_at"]
            self._emit(code, age=duration(max(0, round(age))))

    @property
    def _noun(self) -> str:
        return self._creator.words.noun

    def _forget_work(self) -> None:
        """Have on record that nothing goes on, so that any engine may carry the migration."""
        self._record = {}
        self._keeper.publish({REFUSED: self._engine.value})
        self._publish_record()

    def _stopped_error(self, what: str, stays: str) -> IncompleteError:
        order = self._migration.order
        beside = " and ".join(self._creator.list_parts(self._record))
        return IncompleteError(
            f"stopped watching; {what} of {order.target.name} goes on in AWS, {stays}"
            f"{f' (it uses {beside})' * bool(beside)}; run the same command again to resume"
        )

    def _clean(self) -> None:
        """Remove what only the work needed; what stays is on record, and so not forgotten."""
        self._keeper.check()
        parts, left = list(self._creator.list_parts(self._record)), []
        try:
            self._creator.clean(self._record)
        except ServiceError as error:
            left = [{**self._record, PARTS: parts}]
            name, named = self._migration.order.target.name, list_words(parts)
            self._warn(
                f"cannot remove {named} ({error}); the record of {name} names it, and the next "
                f"`dataware apply`, or `dataware forget {name}`, tries again"
            )
        before = list_leftovers(self._keeper.detail)
        others = [one for one in before if one.get(PARTS) != parts]
        if [*others, *left] != before:
            self._keeper.publish({LEFTOVERS: [*others, *left]})
            self._keeper.send_heartbeat()
