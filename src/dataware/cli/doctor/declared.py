"""Checks of the app: whether it loads, what opts in, and whether it belongs here."""

from __future__ import annotations

from collections.abc import Iterator

from dataware.cli.deployment.credentials import AccountUse
from dataware.cli.doctor.finding import Finding, failure, fine, note, warning
from dataware.cli.doctor.machine import halves
from dataware.cli.doctor.subject import DoctorSubject
from dataware.core.errors import DatawareError, InputError
from dataware.core.events import format_count
from dataware.ops.inputs.opted_in import OPT_IN
from dataware.ops.inputs.wanted import App

SHOWN = 5


def app(subject: DoctorSubject) -> Iterator[Finding]:
    """The app, and the resources in it that opt in."""
    try:
        loaded = subject.find_app()
    except DatawareError as error:
        yield failure(*halves(error))
        return
    if loaded is None:
        yield note("none here; to check one, name it, as in `dataware doctor cdk.out`")
        return
    yield from _app_found(loaded)
    yield from _place(subject, loaded)


def _app_found(loaded: App) -> Iterator[Finding]:
    """What there is to say about an app that loads."""
    names = [wanted.preferred for wanted in loaded.wanted]
    if not names:
        yield warning("it loads, but no resource opts in", OPT_IN)
        return
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    opt = "opts in" if len(names) == 1 else "opt in"
    yield fine(f"{format_count(len(names), 'resource')} {opt}: {', '.join(names[:SHOWN])}{more}")


def _place(subject: DoctorSubject, loaded: App) -> Iterator[Finding]:
    """Whether credentials lead to where the stacks are meant to go."""
    try:
        where = subject.caller().account, subject.account().region
    except DatawareError:
        return
    try:
        loaded.check_pin(*where)
    except InputError as error:
        yield failure(*halves(error))
        return
    elsewhere = {
        (one.account, one.region or where[1]): one.name
        for one in loaded.stacks
        if one.account not in {None, where[0]}
    }
    for (account, region), stack in elsewhere.items():
        try:
            subject.credentials.find(str(account), region, AccountUse.LOOK)
        except DatawareError as error:
            text, next_step = halves(error)
            yield failure(
                f"stack {stack} is meant for account {account}, {region}, but {text}", next_step
            )
