"""The command line of the suite: ``python -m tests.account --profile NAME``."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import click
from tests.account.scenarios import REQUESTS, SCENARIOS
from tests.account.scratch import ScenarioError, ScratchAccount, removed_at_the_end

from dataware.ops.inputs.prices import list_prices

AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")
SERVICES = ("sts", "dynamodb", "s3", "ssm", "cloudformation")


def check_endpoints(account: ScratchAccount) -> None:
    """Refuse an endpoint that is not AWS's, unless it was named."""
    for service in SERVICES:
        host = urlsplit(account.client(service).meta.endpoint_url).hostname or ""
        if account.endpoint_url is None and not host.endswith(AWS_HOSTS):
            raise click.UsageError(
                f"{service} would be asked at {host}, which is not AWS: unset AWS_ENDPOINT_URL and "
                "endpoint_url of the profile, or name it with --endpoint-url"
            )


def estimate() -> float:
    """What all scenarios cost at most, at list prices."""
    prices = list_prices()
    return sum(prices.usd[what] * count for what, count in REQUESTS.items())


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(SCENARIOS)))
@click.option("--profile", default="", help="The AWS profile of the account; never a default.")
@click.option("--region", help="The region; by default that of the profile.")
@click.option("--endpoint-url", help="Another AWS, such as an emulator.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def main(
    names: tuple[str, ...], *, profile: str, region: str | None, endpoint_url: str | None, yes: bool
) -> None:
    """Try dataware in an account, and remove what that made; every scenario without a NAME.

    Ends with 1 if a scenario failed, or something could not be removed.
    """
    if not profile:
        raise click.UsageError("name the account's profile: make aws PROFILE=name")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        account = ScratchAccount(profile, region, endpoint_url, Path(folder))
        if account.session.region_name is None:
            raise click.UsageError("the profile has no region: say it with --region")
        check_endpoints(account)
        number = account.client("sts").get_caller_identity()["Account"]
        click.echo(
            f"Account {number}, {account.session.region_name}: makes tables, buckets, parameters "
            f"and stacks that begin with {account.prefix}, tagged, and removes them at the end.\n"
            f"At list prices this costs at most ${max(estimate(), 0.01):.2f}, and takes about 5 "
            "minutes."
        )
        if not yes:
            click.confirm("Go on?", abort=True)
        sys.exit(carry_out(account, names or tuple(SCENARIOS)))


def carry_out(account: ScratchAccount, names: tuple[str, ...]) -> int:
    """Run the scenarios, each whatever became of the others, and remove what they made."""
    failed = False
    try:
        with removed_at_the_end(account):
            for name in names:
                failed |= not _passes(account, name)
    except ScenarioError as error:
        click.echo(f"❌ {error}", err=True)
        return 1
    return int(failed)


def _passes(account: ScratchAccount, name: str) -> bool:
    started = time.monotonic()
    try:
        SCENARIOS[name](account)
    except Exception as error:  # the others are tried all the same, and all is removed
        click.echo(f"❌ {name}: {type(error).__name__}: {error}", err=True)
        return False
    click.echo(f"✅ {name}: {time.monotonic() - started:.0f} s")
    return True


if __name__ == "__main__":
    main()
