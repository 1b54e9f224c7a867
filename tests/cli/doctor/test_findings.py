"""What doctor makes of what it saw: pure functions, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dataware.aws.caller import Caller, Origin
from dataware.aws.permissions import IamDecision, NeededActions
from dataware.cli.doctor import identity, machine, network, permissions, tools
from dataware.cli.doctor.finding import Finding, FindingStatus
from dataware.core.model import Problem

FINE, NOTE, WARNING, FAILURE = (
    FindingStatus.FINE,
    FindingStatus.NOTE,
    FindingStatus.WARNING,
    FindingStatus.FAILURE,
)


def verdicts(found: Iterable[Finding]) -> list[FindingStatus]:
    """The verdicts; every failure says what to do."""
    seen = list(found)
    assert all(one.do for one in seen if one.verdict is FAILURE)
    assert all(one.text for one in seen)
    return [one.verdict for one in seen]


@pytest.mark.parametrize(("version", "verdict"), [((3, 11, 2), FINE), ((3, 10, 9), FAILURE)])
def test_python(version: tuple[int, ...], verdict: FindingStatus) -> None:
    """The oldest Python is the one that the package asks for."""
    assert verdicts(machine.python_found(version, "/usr/bin/python3")) == [verdict]


def test_packages() -> None:
    """A missing one will fail, an old one may; the rest are listed with their versions."""
    needed = {"boto3": "1.43.11", "click": "8.1", "rich": "13.7"}
    seen = {"boto3": "1.9.0", "click": None, "rich": "15.0.0"}
    found = list(machine.packages_found(needed, seen))
    assert [one.verdict for one in found] == [FINE, FAILURE, WARNING]
    assert "rich 15.0.0" in found[0].text
    assert "click" in found[1].text
    assert "boto3 1.9.0" in found[2].text


def test_only_what_everybody_needs_is_looked_for() -> None:
    """Extras are somebody else's."""
    asked = ["boto3>=1.43.11", 'aws-cdk-lib>=2.200; extra == "cdk"', "pyyaml>=6.0"]
    assert dict(machine.least(asked)) == {"boto3": "1.43.11", "pyyaml": "6.0"}


@pytest.mark.parametrize(
    ("name", "chosen", "verdict"),
    [("curl", False, FINE), ("botocore", True, FINE), ("botocore", False, WARNING)],
)
def test_transport(name: str, chosen: bool, verdict: FindingStatus) -> None:
    """The slow one is a matter of choice, or of a missing package."""
    assert verdicts(machine.transport_found(name, "libcurl/8", chosen)) == [verdict]


@pytest.mark.parametrize(
    ("usable", "free", "verdict"),
    [(True, 10**12, FINE), (True, 10**7, WARNING), (False, 10**12, FAILURE)],
)
def test_state(usable: bool, free: int, verdict: FindingStatus) -> None:
    """A journal has to be written, and takes room."""
    assert verdicts(machine.state_found(Path("/state"), usable, free, 3)) == [verdict]


@pytest.mark.parametrize(
    ("path", "said", "needed", "verdict"),
    [
        ("/bin/node", "v20.1.0\n", True, FINE),
        ("/bin/node", "v22.0.0\n", False, FINE),
        ("/bin/node", "v18.20.4\n", True, FAILURE),
        ("/bin/node", "v18.20.4\n", False, NOTE),
        ("/bin/node", None, True, FAILURE),
        (None, None, True, FAILURE),
        (None, None, False, NOTE),
    ],
)
def test_node(path: str | None, said: str | None, needed: bool, verdict: FindingStatus) -> None:
    """Too old or missing matters in a CDK project only."""
    assert verdicts(tools.node_found(path, said, needed=needed)) == [verdict]


def test_the_cdk_command_line() -> None:
    """Version 2, wherever it is; without a project it is no matter."""
    assert verdicts(tools.cdk_found((["cdk"], (2, 1148, 1)), needed=True)) == [FINE]
    assert verdicts(tools.cdk_found((["cdk"], (1, 204, 0)), needed=True)) == [FAILURE]
    assert verdicts(tools.cdk_found(None, needed=True)) == [FAILURE]
    assert verdicts(tools.cdk_found(None, needed=False)) == [NOTE]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2.275.0\n0.1.0\n", [FINE]),
        ("2.275.0\n-\n", [FINE, NOTE]),
        ("2.100.0\n0.1.0\n", [WARNING]),
        ("-\n0.1.0\n", [FAILURE]),
        (None, [FAILURE]),
        ("garbage", [FAILURE]),
    ],
)
def test_the_library_of_the_app(said: str | None, expected: list[FindingStatus]) -> None:
    """The Python that cdk.json names is what counts, not the one that runs dataware."""
    assert verdicts(tools.library_found("python3", said)) == expected


@pytest.mark.parametrize(
    ("app", "interpreter"),
    [
        ("python3 app.py", "python3"),
        ("A=1 .venv/bin/python3.12 app.py", ".venv/bin/python3.12"),
        ("npx ts-node bin/app.ts", None),
        ("pythonic app.py", None),
        ("python 'unfinished", None),
        ("", None),
    ],
)
def test_the_python_of_an_app_is_found_in_its_command(app: str, interpreter: str | None) -> None:
    """Other languages have no Python to look into."""
    assert tools.python_of(app) == interpreter


def test_proxies_are_shown_without_their_passwords() -> None:
    """What is copied into a bug report holds no secret."""
    environ = {"HTTPS_PROXY": "http://me:secret@proxy:3128", "NO_PROXY": "localhost"}
    (found,) = network.variables_found(environ, {})
    assert found.text == "HTTPS_PROXY=http://proxy:3128, NO_PROXY=localhost"


def test_certificates_have_to_be_there() -> None:
    """A bundle that is no file makes every call fail."""
    environ = {"AWS_CA_BUNDLE": "/nowhere.pem"}
    assert verdicts(network.variables_found(environ, {"AWS_CA_BUNDLE": False})) == [FINE, FAILURE]
    assert verdicts(network.variables_found(environ, {"AWS_CA_BUNDLE": True})) == [NOTE]


def test_an_unknown_region_is_a_doubt() -> None:
    """A new region may be there before the SDK knows it."""
    address = "https://sts.eu-central-1.amazonaws.com"
    assert verdicts(network.region_found("eu-central-1", None, address)) == [FINE]
    (found,) = network.region_found("x", "the SDK knows no region x", address)
    assert found.verdict is WARNING


def test_an_endpoint_is_shown_without_its_secrets() -> None:
    """Output is kept by CI and shown to colleagues."""
    address = "http://user:secret@127.0.0.1:4566/?key=secret"
    (found,) = network.region_found("eu-central-1", None, address)
    assert found.text == "eu-central-1, at http://127.0.0.1:4566"


def test_what_cannot_be_reached_is_told_once_a_host() -> None:
    """Five services behind one address are one problem."""
    there, away = ("here", 443), ("proxy", 3128)
    seen = {"sts": (there, None), "s3": (away, "refused"), "ssm": (away, "refused")}
    found = list(network.endpoints_found(seen))
    assert [one.verdict for one in found] == [FINE, FAILURE]
    assert found[1].text.startswith("s3, ssm cannot be reached at proxy:3128 (refused)")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://s3.eu-west-1.amazonaws.com", ("s3.eu-west-1.amazonaws.com", 443)),
        ("http://127.0.0.1:4566", ("127.0.0.1", 4566)),
        ("http://localhost", ("localhost", 80)),
        ("proxy:3128", ("proxy", 3128)),
    ],
)
def test_the_host_of_an_address(address: str, host: tuple[str, int]) -> None:
    """A proxy may be named without a scheme."""
    assert network.host_of(address) == host


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(0.0, FINE), (-59.0, FINE), (3600.0, WARNING), (-400.0, WARNING)]
)
def test_clock(ahead: float, verdict: FindingStatus) -> None:
    """dataware allows for a wrong clock, others do not."""
    assert verdicts(network.clock_found(ahead)) == [verdict]


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ME = Caller("111122223333", "arn:aws:iam::111122223333:user/me", 0.0)


@pytest.mark.parametrize(
    ("expires", "temporary", "verdict", "says"),
    [
        (None, False, FINE, "no expiry"),
        (None, True, FINE, "expiry unknown"),
        (NOW + timedelta(hours=2), True, FINE, "until 2026-11-24 14:00 UTC"),
        (NOW + timedelta(minutes=2), True, WARNING, "only until 12:02 UTC"),
    ],
)
def test_credentials(
    expires: datetime | None, temporary: bool, verdict: FindingStatus, says: str
) -> None:
    """Account, name, origin and end stand in one line."""
    (found,) = identity.credentials_found(ME, Origin("sso", temporary, expires), NOW)
    assert found.verdict is verdict
    assert all(word in found.text for word in (ME.account, ME.arn, "from sso", says))


def test_the_root_user_is_a_doubt() -> None:
    """It may do everything, which is more than a migration needs."""
    root = Caller(ME.account, "arn:aws:iam::111122223333:root", 0.0)
    found = identity.credentials_found(root, Origin("env", False), NOW)
    assert verdicts(found) == [FINE, WARNING]


OWNER = "arn:aws:iam::111122223333:role/Deployer"
NEEDS = [NeededActions(("s3:A", "s3:B"), ("x", "y"))]


def answers(access: IamDecision, *pairs: tuple[str, str]) -> dict[tuple[str, str], IamDecision]:
    """Everything is allowed but some pairs."""
    allowed = dict.fromkeys(NEEDS[0].pairs(), IamDecision.ALLOWED)
    return {**allowed, **dict.fromkeys(pairs, access)}


def test_everything_allowed() -> None:
    """One line that says for whom, and one about what IAM does not see."""
    found = list(permissions.simulated_found(OWNER, NEEDS, answers(IamDecision.ALLOWED)))
    assert [one.verdict for one in found] == [FINE, NOTE]
    assert OWNER in found[0].text


@pytest.mark.parametrize(
    ("access", "verdict"),
    [
        (IamDecision.MISSING, FAILURE),
        (IamDecision.DENIED, FAILURE),
        (IamDecision.BOUNDED, FAILURE),
        (IamDecision.ORGANIZATION, FAILURE),
        (IamDecision.CONDITIONAL, WARNING),
    ],
)
def test_one_missing_action_is_named(access: IamDecision, verdict: FindingStatus) -> None:
    """With its resource and the reason; a condition that is not known is a doubt."""
    found = list(permissions.simulated_found(OWNER, NEEDS, answers(access, ("s3:B", "y"))))
    assert [one.verdict for one in found] == [verdict, NOTE]
    assert found[0].text.startswith(f"s3:B on y: {access}; ")


def test_what_got_no_answer_is_not_called_allowed() -> None:
    """Unknown is never allowed."""
    some = answers(IamDecision.ALLOWED)
    some.pop(("s3:A", "x"))
    assert verdicts(permissions.simulated_found(OWNER, NEEDS, some)) == [WARNING, NOTE]


def test_a_long_list_of_lacks_is_cut() -> None:
    """Who lacks nearly everything gets the policy instead of the list."""
    needs = [NeededActions(tuple(f"s3:{n:02}" for n in range(15)), ("x",))]
    nothing = dict.fromkeys(needs[0].pairs(), IamDecision.MISSING)
    found = list(permissions.simulated_found(OWNER, needs, nothing))
    failures = [one for one in found if one.verdict is FAILURE]
    assert len(failures) == permissions.SHOWN + 1
    assert failures[-1].text.startswith("5 more are missing")


def test_what_is_missing_can_be_pasted_into_a_policy() -> None:
    """One statement for each resource, with every action; what is denied needs more than that."""
    pairs = {("s3:B", "y"): IamDecision.MISSING, ("s3:A", "y"): IamDecision.MISSING}
    pairs |= {("s3:C", "x"): IamDecision.MISSING, ("s3:D", "x"): IamDecision.DENIED}
    found = list(permissions.simulated_found(OWNER, NEEDS, pairs))
    (pasted,) = [one for one in found if "add to a policy" in one.text]
    assert pasted.verdict is NOTE
    _, _, text = pasted.text.partition(f"add to a policy of {OWNER}: ")
    assert json.loads(f"[{text}]") == [
        {"Effect": "Allow", "Action": ["s3:C"], "Resource": ["x"]},
        {"Effect": "Allow", "Action": ["s3:A", "s3:B"], "Resource": ["y"]},
    ]
    alone = permissions.simulated_found(OWNER, NEEDS, {("s3:A", "x"): IamDecision.MISSING})
    assert not [one for one in alone if "add to a policy" in one.text], "its own line says it"


def test_denied_reads_are_named_once_each() -> None:
    """Reads that were tried: a denial fails, other trouble is a doubt."""
    denied = Problem("Scan", "AccessDenied", "dynamodb:Scan")
    slow = Problem("DescribeTable", "ReadTimeoutError")
    found = list(permissions.tried_found([("a", denied), ("b", denied), ("b", slow)]))
    assert [one.verdict for one in found] == [WARNING, FAILURE]
    assert found[1].text == "dynamodb:Scan on a, b is denied; allow it"
    assert verdicts(permissions.tried_found([])) == [FINE]
