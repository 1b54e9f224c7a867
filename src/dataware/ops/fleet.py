"""The use cases "plan" and "apply" for a whole fleet: all targets at once, or in waves.

Each target is planned and applied as if it were alone: its records, locks and journals lie in its
own account and region, so the same command continues where a run of the fleet ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from dataware.aws.daemon_pool import DaemonPool
from dataware.core.errors import DatawareError, IncompleteError, RefusedError
from dataware.core.events import Event, event, format_count
from dataware.core.fleet.matrix import TargetState
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.fleet.waves import WaveSettings, make_waves, should_stop, worst_exit_code
from dataware.core.plan import Plan
from dataware.core.ports import Emit
from dataware.ops.side_by_side import wait_for

MOST_AT_ONCE = 32
"""Targets that are looked at together; each asks several questions at a time itself."""

NAMED = 3
"""Targets that a sentence names; the others are counted."""

T = TypeVar("T")
PlanTarget = Callable[[FleetTarget], Plan]
ApplyTarget = Callable[[TargetPlan], None]

_STATES = {
    RefusedError.exit_code: TargetState.REFUSED,
    IncompleteError.exit_code: TargetState.INCOMPLETE,
}


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """How a target ended; `reason` is empty where it is done."""

    state: TargetState
    exit_code: int = 0
    reason: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether the target counts as one that has failed."""
        return self.exit_code != 0


@dataclass(frozen=True, slots=True)
class FleetRun:
    """How every target ended, by name, and the exit code of all."""

    outcomes: Mapping[str, TargetOutcome]

    @property
    def exit_code(self) -> int:
        """The worst of all targets."""
        return worst_exit_code(one.exit_code for one in self.outcomes.values())

    @property
    def error(self) -> DatawareError | None:
        """Why the run is not done, as an error with the exit code of all; None if it is."""
        failures = [name for name, one in self.outcomes.items() if one.is_failure]
        if not failures:
            return None
        kinds = {RefusedError.exit_code: RefusedError, IncompleteError.exit_code: IncompleteError}
        refused = any(one.exit_code == RefusedError.exit_code for one in self.outcomes.values())
        # A plan that is refused for what has changed since is refused again.
        next_step = "make a new plan and apply it" if refused else "run the same command again"
        more = f" and {len(failures) - NAMED:,} more" if len(failures) > NAMED else ""
        return kinds.get(self.exit_code, DatawareError)(
            f"{len(failures):,} of {format_count(len(self.outcomes), 'target')} not done "
            f"({', '.join(failures[:NAMED])}{more}); see the reasons above, and {next_step}: what "
            "is complete is not touched again"
        )

    @property
    def states(self) -> Mapping[str, TargetState]:
        """The state of each target."""
        return {name: one.state for name, one in self.outcomes.items()}


@dataclass(frozen=True, slots=True)
class TargetAnswer(Generic[T]):
    """What a target answered; `value` is None where it could not, because of `error`."""

    target: FleetTarget
    value: T | None
    error: Exception | None = None

    @property
    def problem(self) -> str:
        """Why it could not answer; empty if it did."""
        return "" if self.error is None else explain(self.error)[0]

    @property
    def exit_code(self) -> int:
        """That of the error; 0 without one."""
        return 0 if self.error is None else explain(self.error)[1]


def ask_targets(
    targets: Sequence[FleetTarget],
    ask: Callable[[FleetTarget], T],
    emit: Emit,
    noun: str = "target",
) -> tuple[TargetAnswer[T], ...]:
    """Ask all targets at once, in their order; one that cannot be looked into is unknown.

    A reason that several have in common is told once, with all of their names. `noun` is what
    they are called.
    """

    def ask_one(target: FleetTarget) -> TargetAnswer[T]:
        try:
            return TargetAnswer(target, ask(target))
        except Exception as error:
            return TargetAnswer(target, None, error)

    with DaemonPool(min(MOST_AT_ONCE, max(1, len(targets))), "target") as pool:
        answers = tuple(one.result() for one in [pool.submit(ask_one, each) for each in targets])
    _report_unknown(answers, emit, noun)
    return answers


def _report_unknown(answers: Sequence[TargetAnswer[T]], emit: Emit, noun: str) -> None:
    reasons: dict[tuple[str, int], list[str]] = {}
    for one in answers:
        if one.error is not None:
            reasons.setdefault((one.problem, one.exit_code), []).append(one.target.name)
    for (reason, code), names in reasons.items():
        words = {"reason": reason, "exit_code": code}
        state = "stopped" if code == RefusedError.exit_code else "unknown"
        if len(names) == 1:
            emit(event(f"{noun}-{state}", target=names[0], **words))
            continue
        some = {"count": len(names), "names": ", ".join(names), "targets": names}
        emit(event(f"{noun}s-{state}", **some, **words))


def plan_targets(
    targets: Sequence[FleetTarget], plan_target: PlanTarget, emit: Emit
) -> tuple[TargetPlan, ...]:
    """Plan all targets at once, in their order; one that cannot be looked into has no plan."""

    def plan_one(target: FleetTarget) -> Plan:
        plan = plan_target(target)
        words = {"account": target.account, "region": target.region}
        emit(event("target-planned", target=target.name, **words))
        return plan

    return tuple(
        TargetPlan(one.target, one.value, one.problem, one.exit_code)
        for one in ask_targets(targets, plan_one, emit)
    )


def check_applicable(plan: FleetPlan) -> None:
    """Raise RefusedError where the plan of the fleet may not be applied, with the way on."""
    if plan.conflicts:
        noun = "environments" if plan.of_app else "targets"
        raise RefusedError(
            f"nothing was changed, because {noun} are in each other's way: "
            f"{'; '.join(plan.conflicts)}"
        )
    reasons = [
        f"because of {', '.join(one.target.name for one in targets)}: {why}"
        for targets, why in (
            (plan.stops, "a stop holds"),
            (plan.unknown, "it could not be looked into"),
        )
        if targets
    ]
    if reasons:
        them = "it" if len(plan.stops) + len(plan.unknown) == 1 else "them"
        next_step = "" if plan.of_app else f", or leave {them} out with --exclude"
        raise RefusedError(f"nothing was changed, {'; '.join(reasons)}; plan again{next_step}")


def apply_in_waves(
    plan: FleetPlan,
    settings: WaveSettings,
    apply_target: ApplyTarget,
    emit: Emit,
    stop: Callable[[], bool],
) -> FleetRun:
    """Apply the targets wave by wave, until too many have failed or somebody asks to stop.

    Raises RefusedError, with nothing changed, where the plan may not be applied.
    """
    check_applicable(plan)
    plans = {one.target.name: one for one in plan.targets}
    waves = make_waves([one.target for one in plan.targets], settings)
    outcomes: dict[str, TargetOutcome] = {}
    for position, wave in enumerate(waves):
        if stop():
            break
        names = [one.name for one in wave]
        emit(
            event(
                "wave", wave=position + 1, waves=len(waves), targets=names, names=", ".join(names)
            )
        )
        outcomes |= _apply_wave([plans[name] for name in names], apply_target, emit)
        failures = sum(one.is_failure for one in outcomes.values())
        if position + 1 < len(waves) and should_stop(position, failures, settings):
            emit(_explain_end(names, failures, settings, is_canary=position == 0))
            break
    code = IncompleteError.exit_code
    remaining = {
        name: TargetOutcome(TargetState.NOT_STARTED, code, "its wave did not begin")
        for name in plans
        if name not in outcomes
    }
    return FleetRun({name: (outcomes | remaining)[name] for name in plans})


def _explain_end(
    names: Sequence[str], failures: int, settings: WaveSettings, *, is_canary: bool
) -> Event:
    """Why no further wave begins: a canary that fails is enough, whatever is tolerated."""
    if is_canary:
        return event("canary-failed", target=names[0])
    return event("waves-stopped", failures=failures, tolerance=settings.tolerance)


def _apply_wave(
    wave: Sequence[TargetPlan], apply_target: ApplyTarget, emit: Emit
) -> dict[str, TargetOutcome]:
    """Apply the targets of a wave side by side; answers once all of them have ended."""

    def apply_one(one: TargetPlan) -> TargetOutcome:
        try:
            apply_target(one)
        except Exception as error:
            text, code = explain(error)
            outcome = TargetOutcome(_STATES.get(code, TargetState.FAILED), code, text)
            emit(event("target-failed", target=one.target.name, reason=text, exit_code=code))
            return outcome
        emit(event("target-done", target=one.target.name))
        return TargetOutcome(TargetState.DONE if one.changes else TargetState.NOTHING_TO_DO)

    with DaemonPool(len(wave), "target") as pool:
        ended: list[tuple[str, Future[TargetOutcome]]] = [
            (one.target.name, pool.submit(apply_one, one)) for one in wave
        ]
        wait_for([future for _, future in ended])
        return {name: future.result() for name, future in ended}


def explain(error: Exception) -> tuple[str, int]:
    """Why a target failed, and the exit code of that; a defect in one ends no other."""
    if isinstance(error, DatawareError):
        return str(error), error.exit_code
    return f"unexpected error, {type(error).__name__}: {error}", DatawareError.exit_code
