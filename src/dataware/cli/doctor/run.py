"""Runs every check at the same time, each in bounded time, and reports them in their order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from dataware.cli.app import saved_plan
from dataware.cli.display import display
from dataware.cli.doctor import declared, identity, machine, network, permissions, tools
from dataware.cli.doctor.finding import Finding, FindingStatus, not_checked
from dataware.cli.doctor.subject import APP_SECONDS, DoctorSubject, LazyValue
from dataware.cli.project import in_project
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.cli.source_profile import with_plan_profile
from dataware.core.errors import DatawareError, InputError, LookupFailedError
from dataware.core.events import event, format_count


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One check: `look` may take `seconds`; its name is permanent."""

    name: str
    look: Callable[[DoctorSubject], Iterable[Finding]]
    seconds: float = 20.0


CHECKS = (
    DoctorCheck("python", machine.python),
    DoctorCheck("packages", machine.packages),
    DoctorCheck("transport", machine.transport),
    DoctorCheck("state", machine.state),
    DoctorCheck("node", tools.node),
    DoctorCheck("cdk", tools.cdk, 45.0),
    DoctorCheck("aws-cdk-lib", tools.library),
    DoctorCheck("variables", network.variables),
    DoctorCheck("region", network.region),
    DoctorCheck("endpoints", network.endpoints),
    DoctorCheck("credentials", identity.credentials),
    DoctorCheck("source-profile", identity.source_profile),
    DoctorCheck("clock", network.clock),
    DoctorCheck("app", declared.app, APP_SECONDS + 30.0),
    DoctorCheck("permissions", permissions.permissions, APP_SECONDS + 60.0),
)


def run_doctor(options: AwsOptions, app: AppOptions, *, all_versions: bool) -> int:
    """Check everything. Raises DatawareError if something will fail, or could not be checked."""
    with suppress(InputError):
        options = in_project(options, app)
        saved = saved_plan(app)
        options = with_plan_profile(options, [saved] if saved else [])
    subject = DoctorSubject(options, app, all_versions)
    _ask_first(subject)
    results: list[Finding] = []
    with display(options) as emit:
        for name, finding in findings(CHECKS, subject):
            results.append(finding)
            fields = {"check": name, "found": finding.observation, "do": finding.do or None}
            emit(event(finding.verdict, text=finding.text, **fields))
        why_not = _why_not(results)
        if why_not is None:
            doubts = sum(one.verdict is FindingStatus.WARNING for one in results)
            in_doubt = f", {format_count(doubts, 'warning')}" if doubts else ""
            emit(event("done", text=f"All checks passed{in_doubt}"))
    if why_not is not None:
        raise DatawareError(f"{why_not}; see above for what to do")
    return 0


def _why_not(results: Iterable[Finding]) -> str | None:
    """Why nobody can say that a run will pass, or None; what was not seen is no good news."""
    failures = unchecked = 0
    for one in results:
        failures += one.verdict is FindingStatus.FAILURE
        unchecked += one.unchecked
    if failures:
        return f"{format_count(failures, 'problem')} found that will make a run fail"
    if unchecked:
        return f"{format_count(unchecked, 'check')} could not be made, so a run may fail"
    return None


def _ask_first(subject: DoctorSubject) -> None:
    """Let a person type the code that a profile asks for, before anything is bounded in time."""
    with suppress(DatawareError):
        account = subject.account()
        if account.asks_for_code and sys.stdin.isatty():
            account.origin()


def findings(
    checks: Iterable[DoctorCheck], subject: DoctorSubject
) -> Iterator[tuple[str, Finding]]:
    """The findings of all checks, each with the name of its check."""
    running = [
        (check, LazyValue(partial(_run_check, check, subject), check.seconds)) for check in checks
    ]
    for _, once in running:
        once.start()
    for check, once in running:
        try:
            one_finding = once.get()
        except LookupFailedError as error:
            one_finding = [not_checked(f"not checked: {error}", "run this again")]
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            why = f"not checked, because of a fault of dataware itself ({what})"
            one_finding = [not_checked(why)]
        yield from ((check.name, finding) for finding in one_finding)


def _run_check(check: DoctorCheck, subject: DoctorSubject) -> list[Finding]:
    return list(check.look(subject))
