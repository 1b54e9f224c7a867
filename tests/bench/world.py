"""What every benchmark runs in: an embedded AWS, the responder before it, and a clean folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from tests.bench.measure import Run, clean_environ, run
from tests.bench.responder import Responder

from dataware.embedded import EmbeddedAws

DATAWARE = (sys.executable, "-m", "dataware.cli")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class World:
    """The servers and the folder of one benchmark."""

    server: EmbeddedAws
    responder: Responder
    folder: Path

    def client(self, service: str) -> Any:
        """A client of the embedded AWS itself, to prepare what is real."""
        return boto3.client(
            service,
            endpoint_url=self.server.endpoint,
            region_name=self.server.region,
            aws_access_key_id=self.server.account,
            aws_secret_access_key="test",
        )

    def fresh(self, **world: Any) -> None:
        """Forget everything, and let the responder serve another world."""
        self.server.reset()
        self.responder.become(**world)

    def dataware(self, *arguments: str) -> Run:
        """Run a command of dataware against the responder."""
        return self.measured([*DATAWARE, *arguments])

    def measured(self, command: list[str]) -> Run:
        """Run any command against the responder, with a home of its own."""
        with TemporaryDirectory(prefix="dataware-bench-") as home:
            return run(command, self._environ(home), self.folder)

    def _environ(self, home: str) -> Mapping[str, str]:
        server = {**self.server.environ(), "AWS_ENDPOINT_URL": self.responder.endpoint}
        return clean_environ(
            server, HOME=home, DATAWARE_STATE=f"{home}/state", PYTHONPATH=str(ROOT), NO_COLOR="1"
        )


@contextmanager
def world() -> Iterator[World]:
    """Start the servers; everything ends and vanishes with the block."""
    with (
        EmbeddedAws() as server,
        Responder(server.endpoint) as responder,
        TemporaryDirectory(prefix="dataware-bench-") as folder,
    ):
        yield World(server, responder, Path(folder))
