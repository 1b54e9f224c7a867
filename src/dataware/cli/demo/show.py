"""The show itself: makes data, runs the real commands, kills one of them, runs it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dataware.cli.context import open_account
from dataware.cli.demo import data
from dataware.cli.run_log import SHOW_FOLDER
from dataware.cli.settings import AwsOptions
from dataware.cli.wait_indicator import show_waiting
from dataware.core.errors import DatawareError
from dataware.core.events import Event
from dataware.embedded import EmbeddedAws

KEYS = """
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
"""
WAITLIST_KEYS = f"""{KEYS}AttributeDefinitions = [
  {{ AttributeName = "email", AttributeType = "S" }},
]
KeySchema = [{{ AttributeName = "email", KeyType = "HASH" }}]
"""
PLACES_KEYS = f"""{KEYS}AttributeDefinitions = [
  {{ AttributeName = "country", AttributeType = "S" }},
  {{ AttributeName = "id", AttributeType = "N" }},
]
KeySchema = [
  {{ AttributeName = "country", KeyType = "HASH" }},
  {{ AttributeName = "id", KeyType = "RANGE" }},
]
"""
TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
STOPPED = (
    "Demo stopped; its emulator is gone, with all data. Run it again to start from the beginning"
)
KILL_AT = 0.4
"""Share of the items at which the running copy is killed."""

QUICKLY_COPIED = 20_000
"""Items that may be copied before anybody sees that so many have arrived."""

LEAST_SECONDS = 5
"""How long the copy of so few is made to last, so that it is killed on its way."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much data the large scenarios have."""

    items: int = 100_000
    objects: int = 5_000


def run_demo(sizes: Sizes, *, plain: bool) -> int:
    """Show everything; 0 if every command did what it should."""
    waiting = partial(show_waiting, AwsOptions(plain=plain))
    try:
        with (
            EmbeddedAws(emit=_report, waiting=waiting) as aws,
            TemporaryDirectory(prefix=SHOW_FOLDER) as folder,
        ):
            enter(os.environ, aws, Path(folder) / "state")
            _Show(Path(folder), sizes, plain=plain).run()
    except KeyboardInterrupt as stop:
        raise DatawareError(STOPPED) from stop
    return 0


def enter(environ: MutableMapping[str, str], aws: EmbeddedAws, state: Path) -> None:
    """Point everything at the embedded AWS, and forget whatever points at an AWS of the user's."""
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    environ.update(aws.environ())
    environ["DATAWARE_STATE"] = str(state)


def _report(event: Event) -> None:
    print(event.text(), flush=True)


class _Show:
    """One run of the demo; every step raises DatawareError if a command fails."""

    def __init__(self, folder: Path, sizes: Sizes, *, plain: bool) -> None:
        self._folder = folder
        self._sizes = sizes
        self._plain = ["--plain"] if plain else []
        account = open_account(AwsOptions(plain=plain))
        self._s3: Any = account.client("s3")
        self._dynamodb: Any = account.client("dynamodb")

    def run(self) -> None:
        """Every scenario, from the easy ones to the killed one."""
        print("dataware demo: a local AWS emulator, no account needed")
        self._import()
        self._migrate()
        self._create()
        places = data.places(max(self._sizes.items, self._sizes.objects))
        self._show_interruption(places)
        self._bucket(places)
        self._again()
        self._goodbye()

    def _import(self) -> None:
        self._title("1. The preferred names hold data already: import them")
        self._s3.create_bucket(Bucket="spaceport-uploads-staging")
        self._s3.put_object(Bucket="spaceport-uploads-staging", Key="plan.txt", Body=b"orbit")
        self._waitlist("Spaceport-Waitlist-staging", 3)
        self._write(
            "staging",
            _resource(BUCKET, "spaceport-uploads-staging", "spaceport-uploads"),
            _resource(TABLE, "Spaceport-Waitlist-staging", "Spaceport-Waitlist", WAITLIST_KEYS),
        )
        self._run("apply", "staging.toml")

    def _migrate(self) -> None:
        self._title("2. The data is still under the older name: create, copy, verify")
        self._waitlist("Spaceport-Waitlist", 78)
        text = _resource(TABLE, "Spaceport-Waitlist-prod", "Spaceport-Waitlist", WAITLIST_KEYS)
        self._write("prod", text)
        print(text)
        self._run("plan", "prod.toml")
        self._run("apply", "prod.toml")
        self._run("verify", "dynamodb://Spaceport-Waitlist", "dynamodb://Spaceport-Waitlist-prod")

    def _create(self) -> None:
        self._title("3. No data anywhere: start fresh")
        for bucket in ("spaceport-ml-processing-staging", "spaceport-ml-processing"):
            self._s3.create_bucket(Bucket=bucket)
        names = ("spaceport-ml-processing-staging", "spaceport-ml-processing")
        self._write("ml", _resource(BUCKET, *names))
        self._run("apply", "ml.toml")

    def _show_interruption(self, places: list[dict[str, Any]]) -> None:
        count = self._sizes.items
        self._title(f"4. A table of {count:,} items, and the copy is killed")
        self._table("Spaceport-Places", ("country", "S"), ("id", "N"))
        print(f"Writing {count:,} places into Spaceport-Places ...", flush=True)
        rows = data.fill_table(self._dynamodb, "Spaceport-Places", data.items(places, count))
        self._write(
            "places", _resource(TABLE, "Spaceport-Places-prod", "Spaceport-Places", PLACES_KEYS)
        )
        self._kill("Spaceport-Places-prod", rows, "apply", "places.toml", *slow_down(rows))
        self._run("status")
        self._run("apply", "places.toml")

    def _bucket(self, places: list[dict[str, Any]]) -> None:
        count = self._sizes.objects
        self._title(f"5. A bucket of {count:,} objects, with metadata and tags")
        self._s3.create_bucket(Bucket="spaceport-places")
        print(f"Putting {count:,} objects into spaceport-places ...", flush=True)
        data.fill_bucket(self._s3, "spaceport-places", data.objects(places, count))
        self._write("atlas", _resource(BUCKET, "spaceport-places-prod", "spaceport-places"))
        self._run("apply", "atlas.toml")

    def _again(self) -> None:
        self._title("6. Everything again: nothing to do")
        names = ("prod", "ml", "places", "atlas")
        self._write("all", *((self._folder / f"{name}.toml").read_text() for name in names))
        self._run("apply", "all.toml")
        self._run("status")

    def _goodbye(self) -> None:
        self._title("With your own account")
        print("Write a dataware.toml like the one of scenario 2, or opt a resource of a template")
        print("or CDK app in with  Metadata: {Dataware: {Fallback: [older-name]}}  and type:\n")
        print(
            "  dataware plan  dataware.toml --profile NAME    # read-only: shows what would happen"
        )
        print("  dataware iam-policy dataware.toml              # the permissions it needs")
        print("  dataware apply dataware.toml --profile NAME    # creates, copies, verifies")

    def _title(self, text: str) -> None:
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def _write(self, name: str, *texts: str) -> None:
        (self._folder / f"{name}.toml").write_text("\n".join(texts))

    def _table(self, name: str, *keys: tuple[str, str]) -> None:
        roles = ("HASH", "RANGE")
        self._dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": of_type} for key, of_type in keys
            ],
            KeySchema=[
                {"AttributeName": key, "KeyType": role}
                for (key, _), role in zip(keys, roles, strict=False)
            ],
        )

    def _waitlist(self, name: str, count: int) -> None:
        self._table(name, ("email", "S"))
        people = ({"email": {"S": f"pilot{n}@example.com"}} for n in range(count))
        data.fill_table(self._dynamodb, name, people)

    def _command(self, *arguments: str) -> list[str]:
        command_line = " ".join(arguments)
        print(f"\n$ dataware {command_line}", flush=True)
        return [sys.executable, "-m", "dataware.cli", *arguments, *self._plain]

    def _run(self, *arguments: str) -> None:
        # Without an input no command asks: what is run here was agreed to with the demo.
        ended = subprocess.run(
            self._command(*arguments), cwd=self._folder, check=False, stdin=subprocess.DEVNULL
        )
        if ended.returncode:
            command_line = " ".join(arguments)
            raise DatawareError(
                f"`dataware {command_line}` ended with exit code {ended.returncode} in the demo; "
                "see its message above"
            )

    def _kill(self, table: str, items: int, *arguments: str) -> None:
        """Start a command that copies `items`, and end it with SIGKILL on the way."""
        command, folder = self._command(*arguments), self._folder
        with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL) as running:
            while running.poll() is None and self._count(table) < items * KILL_AT:
                time.sleep(0.05)
            running.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        print(
            f"\nKilled (SIGKILL) with {self._count(table):,} of {items:,} items written.",
            flush=True,
        )

    def _count(self, table: str) -> int:
        """How many items there are; the embedded AWS keeps this count up to date."""
        try:
            return int(self._dynamodb.describe_table(TableName=table)["Table"]["ItemCount"])
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return 0


def slow_down(items: int) -> tuple[str, ...]:
    """The options with which a copy of so many items lasts for some seconds at least."""
    if items >= QUICKLY_COPIED:
        return ()
    return ("--max-rate", str(max(1, items // LEAST_SECONDS)))


def _resource(of_type: str, preferred: str, fallback: str, properties: str = "") -> str:
    lines: Sequence[str] = (
        "[[resource]]",
        f'type = "{of_type}"',
        f'preferred = "{preferred}"',
        f'fallback = ["{fallback}"]',
    )
    return "\n".join(lines) + properties + ("" if properties else "\n")
