"""Checks of the way to AWS: proxies, certificates, the region, the endpoints, the clock."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from dataware.cli.doctor.finding import Finding, failure, fine, note, warning
from dataware.cli.doctor.machine import halves
from dataware.cli.doctor.subject import DoctorSubject, LazyValue
from dataware.cli.run_log import shown_address
from dataware.core.errors import DatawareError, LookupFailedError
from dataware.core.names import PLACEHOLDERS
from dataware.kinds import kinds

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")
BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
SERVICES = ("sts", "ssm", "cloudformation")
"""What every run asks, besides the services of the resources that it copies."""

CONNECT_SECONDS = 4.0
LOOK_SECONDS = 10.0
CLOSE_SECONDS = 60.0
"""A difference of clocks that nobody notices; AWS refuses one of more than five minutes."""

WITHOUT_REGION = "not checked, because profile and region are not settled"
UNKNOWN_CALLER = "not checked, because your identity is unknown"


def services() -> list[str]:
    """The services that a run may ask."""
    arns = (kind.access.arns(*PLACEHOLDERS)[0] for kind in kinds() if kind.copying)
    return list(dict.fromkeys((*SERVICES, *(arn.split(":")[2] for arn in arns))))


def variables(subject: DoctorSubject) -> Iterator[Finding]:
    """The variables that lead requests elsewhere."""
    environ = subject.environ
    files = {name: Path(environ[name]).is_file() for name in BUNDLES if environ.get(name)}
    return variables_found(environ, files)


def variables_found(environ: Mapping[str, str], files: Mapping[str, bool]) -> Iterator[Finding]:
    """What there is to say about proxies, and about certificates by whether their file is there."""
    proxies = [
        f"{name}={_without_password(environ[name])}" for name in PROXIES if environ.get(name)
    ]
    set_ = [*proxies, *(f"{name}={environ[name]}" for name, there in files.items() if there)]
    yield note(", ".join(set_)) if set_ else fine("no proxy and no custom certificates")
    for name, there in files.items():
        if not there:
            yield failure(
                f"{name} names {environ[name]}, which is not a file",
                "name the file of the certificates to trust, or unset it",
            )


def _without_password(url: str) -> str:
    """An address without the user and password in it."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def region(subject: DoctorSubject) -> Iterator[Finding]:
    """The region, and whether the SDK knows it."""
    try:
        account = subject.account()
    except DatawareError as error:
        yield failure(*halves(error))
        return
    slip = account.region_slip()
    yield from region_found(account.region, slip, account.endpoint("sts", account.region))


def region_found(name: str, slip: str | None, address: str) -> Iterator[Finding]:
    """What there is to say about a region; `slip` says that it is unknown."""
    if slip:
        yield warning(f"{name}: {slip}", "check --region and AWS_REGION")
    else:
        own = "" if "amazonaws" in address else f", at {shown_address(address)}"
        yield fine(f"{name}{own}")


def endpoints(subject: DoctorSubject) -> Iterator[Finding]:
    """Whether the services that a run asks can be reached."""
    try:
        account = subject.account()
        addresses = {name: account.endpoint(name, account.region) for name in services()}
        through = {name: account.proxy(address) for name, address in addresses.items()}
    except DatawareError:
        yield note(WITHOUT_REGION)
        return
    hosts = {name: host_of(through[name] or address) for name, address in addresses.items()}
    looks = {host: LazyValue(partial(reach, host), LOOK_SECONDS) for host in set(hosts.values())}
    for look in looks.values():
        look.start()
    answers = {host: _answer_of(look) for host, look in looks.items()}
    yield from endpoints_found({name: (host, answers[host]) for name, host in hosts.items()})


def endpoints_found(
    endpoints: Mapping[str, tuple[tuple[str, int], str | None]],
) -> Iterator[Finding]:
    """One line for what can be reached, one for each host that cannot, by service."""
    reached = [name for name, (_, trouble) in endpoints.items() if trouble is None]
    if reached:
        yield fine(f"reached {', '.join(reached)}")
    for host, port in dict.fromkeys(host for host, trouble in endpoints.values() if trouble):
        names = [name for name, (at, _) in endpoints.items() if at == (host, port)]
        trouble = next(trouble for at, trouble in endpoints.values() if at == (host, port))
        yield failure(
            f"{', '.join(names)} cannot be reached at {host}:{port} ({trouble})",
            "check the network, --region, --endpoint-url and the proxy",
        )


def host_of(address: str) -> tuple[str, int]:
    """Host and port of an address."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _answer_of(look: LazyValue[str | None]) -> str | None:
    """Why there is no connection, in bounded time; a name may take long to be resolved."""
    try:
        return look.get()
    except LookupFailedError as error:
        return str(error)


def reach(where: tuple[str, int]) -> str | None:
    """Why there is no connection to a host; None if there is one."""
    try:
        with socket.create_connection(where, CONNECT_SECONDS):
            return None
    except TimeoutError:
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()


def clock(subject: DoctorSubject) -> Iterator[Finding]:
    """This machine's clock against that of AWS."""
    try:
        ahead = subject.caller().ahead
    except DatawareError:
        yield note(UNKNOWN_CALLER)
        return
    yield from clock_found(ahead)


def clock_found(ahead: float) -> Iterator[Finding]:
    """What there is to say about a clock that AWS's is `ahead` of, in seconds."""
    if abs(ahead) <= CLOSE_SECONDS:
        yield fine(f"within {max(1, round(abs(ahead)))} s of the clock of AWS")
        return
    way = "behind" if ahead > 0 else "ahead of"
    yield warning(
        f"{abs(ahead):,.0f} s {way} the clock of AWS; dataware allows for that, CDK does not",
        "set the clock",
    )
