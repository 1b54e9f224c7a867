"""Takes the pictures of docs/report.md: pages of real runs against the embedded AWS.

A proxy between the commands and the AWS throttles some writes, so that the chart has something to
show. What the pages hold is what the commands saw and did; only Chromium draws them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

from dataware.embedded import EmbeddedAws

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import DARK, screenshot  # noqa: E402 - the path is made above
from support.servers import FaultProxy, json_error  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
ITEMS, OBJECTS, ARCHIVED, GONE = 12_000, 120, 12, 90
ACCOUNT = "111122223333"
TABLE = """[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "{0}-prod"
fallback = ["{0}"]
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
AttributeDefinitions = [{{ AttributeName = "email", AttributeType = "S" }}]
KeySchema = [{{ AttributeName = "email", KeyType = "HASH" }}]
"""
BUCKET = """[[resource]]
type = "AWS::S3::Bucket"
preferred = "spaceport-uploads-prod"
fallback = ["spaceport-uploads"]
"""
APP = "\n".join([*map(TABLE.format, ("Spaceport-Waitlist", "Spaceport-Sessions")), BUCKET])

SHOW = "document.getElementById('{}').scrollIntoView()"


def fill(aws: EmbeddedAws) -> None:
    """Data under the older names, some of it archived, and one table under both."""
    where = {"endpoint_url": aws.endpoint, "region_name": aws.region}
    keys = {"aws_access_key_id": aws.account, "aws_secret_access_key": "test"}
    dynamodb = boto3.resource("dynamodb", **where, **keys)
    counts = {"Spaceport-Waitlist": ITEMS, "Spaceport-Sessions": 12, "Spaceport-Sessions-prod": 10}
    for name, count in counts.items():
        table = dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "email", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "email", "KeyType": "HASH"}],
        )
        with table.batch_writer() as batch:
            for number in range(count):
                batch.put_item(Item={"email": f"pilot{number:05}@example.com", "wish": "x" * 700})
    s3 = boto3.client("s3", **where, **keys)
    s3.create_bucket(Bucket="spaceport-uploads")
    for number in range(OBJECTS):
        kind = "GLACIER" if number < ARCHIVED else "STANDARD"
        key = f"plans/2026/{number:03}.txt"
        s3.put_object(Bucket="spaceport-uploads", Key=key, Body=b"x" * 300, StorageClass=kind)


def spoil(aws: EmbeddedAws) -> None:
    """Take items out of the target and change others, so that a comparison finds them."""
    table = boto3.resource(
        "dynamodb",
        endpoint_url=aws.endpoint,
        region_name=aws.region,
        aws_access_key_id=aws.account,
        aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
    ).Table("Spaceport-Waitlist-prod")
    with table.batch_writer() as batch:
        for number in range(0, GONE * 100, 100):
            batch.delete_item(Key={"email": f"pilot{number:05}@example.com"})
            batch.put_item(Item={"email": f"pilot{number + 1:05}@example.com", "wish": "other"})


def throttle(proxy: FaultProxy) -> None:
    """Refuse some writes, twice for a while, as a table does whose capacity has to grow first."""
    fault = json_error("ProvisionedThroughputExceededException", message="slow down")
    for skip, times in ((60, 12), (240, 8)):
        proxy.add(fault, operation="BatchWriteItem", skip=skip, times=times)


def run(command: str, folder: Path, environ: dict[str, str]) -> None:
    """Run `dataware COMMAND`; whatever it ends with is in its report."""
    words = [sys.executable, "-m", "dataware.cli", *command.split()]
    subprocess.run(words, cwd=folder, env=environ, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run the commands, and take a picture of each page."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        EmbeddedAws(account=ACCOUNT) as aws,
        FaultProxy(aws.endpoint, record=False) as proxy,
    ):
        folder = Path(scratch)
        environ = {
            **os.environ,
            **aws.environ(),
            "AWS_ENDPOINT_URL": proxy.endpoint,
            "DATAWARE_STATE": str(folder / "state"),
        }
        (folder / "dataware.toml").write_text(APP, encoding="utf-8")
        fill(aws)
        run("plan --out plan.json", folder, environ)
        page = folder / "page.html"
        with page.open("w", encoding="utf-8") as file:
            words = [sys.executable, "-m", "dataware.cli", "show", "plan.json", "--format", "html"]
            subprocess.run(words, cwd=folder, env=environ, check=True, stdout=file)
        screenshot(page, PICTURES / "plan.png", full=False)
        throttle(proxy)
        run("apply plan.json --max-rate 1000", folder, environ)
        run(f"report --out {page}", folder, environ)
        screenshot(page, PICTURES / "report.png", full=False)
        chart = PICTURES / "report-chart.png"
        show = SHOW.format("migrations")
        screenshot(page, chart, width=1100, theme=DARK, full=False, expression=show)
        spoil(aws)
        compared = "dynamodb://Spaceport-Waitlist dynamodb://Spaceport-Waitlist-prod"
        run(f"verify {compared}", folder, environ)
        run(f"report --out {page}", folder, environ)
        phone = PICTURES / "report-phone.png"
        show = SHOW.format("differences")
        screenshot(page, phone, width=390, full=False, scale=1.5, expression=show)


if __name__ == "__main__":
    main()
