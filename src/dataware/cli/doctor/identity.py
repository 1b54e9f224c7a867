"""Checks of who asks AWS: the account, the credentials, where they come from, when they end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dataware.aws.caller import Caller, Origin
from dataware.cli.doctor.finding import Finding, failure, fine, note, warning
from dataware.cli.doctor.machine import halves
from dataware.cli.doctor.network import WITHOUT_REGION
from dataware.cli.doctor.subject import DoctorSubject
from dataware.core.errors import DatawareError

SOON = timedelta(minutes=15)
"""Credentials that end within it may end a copy on the way."""


def credentials(subject: DoctorSubject) -> Iterator[Finding]:
    """Who the caller is, as AWS says."""
    try:
        account = subject.account()
    except DatawareError:
        yield note(WITHOUT_REGION)
        return
    try:
        origin, caller = account.origin(), subject.caller()
    except DatawareError as error:
        yield failure(*halves(error))
        return
    yield from credentials_found(caller, origin, datetime.now(UTC))


def source_profile(subject: DoctorSubject) -> Iterator[Finding]:
    """Who reads the sources, where that is a profile of its own."""
    if not subject.options.source_profile:
        return
    try:
        reader = subject.reader()
        origin, caller = reader.origin(), subject.reading_caller()
    except DatawareError as error:
        yield failure(*halves(error))
        return
    for one in credentials_found(caller, origin, datetime.now(UTC)):
        text = f"profile {subject.options.source_profile} reads the sources: {one.observation}"
        yield replace(one, observation=text)


def credentials_found(caller: Caller, origin: Origin, now: datetime) -> Iterator[Finding]:
    """What there is to say about the caller and the credentials."""
    text = f"account {caller.account} as {caller.arn}, from {origin.source}"
    if origin.expires is None:
        ends = "temporary, expiry unknown" if origin.temporary else "no expiry"
        yield fine(f"{text}, {ends}")
    elif origin.expires - now > SOON:
        yield fine(f"{text}, until {origin.expires:%Y-%m-%d %H:%M} UTC")
    else:
        yield warning(
            f"{text}, only until {origin.expires:%H:%M} UTC",
            "unless they renew automatically, get new ones before a long copy",
        )
    if caller.arn.endswith(":root"):
        yield warning(
            "this is the root user", "use a role that has what `dataware iam-policy` prints"
        )
