"""What every benchmark runs in: an embedded AWS, the responder before it, and a clean folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from tests.bench.measure import Run, clean_environ, run
from tests.bench.names import TRANSFERS
from tests.bench.pinning import CLIENT, SERVERS, running_on
from tests.bench.responder import Responder

from dataware.embedded import EmbeddedAws

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class World:
    """The servers and the folder of one benchmark; `cores` are those of measured programs."""

    server: EmbeddedAws
    responder: Responder
    folder: Path
    cores: frozenset[int] = CLIENT

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

    def measured(self, command: Sequence[str], limit: float | None = None, **environ: str) -> Run:
        """Run any command against the responder, with a home of its own.

        `environ` leads it elsewhere. Raises RunError if it fails, or after `limit` seconds.
        """
        with TemporaryDirectory(prefix="dataware-bench-") as home:
            there = self.environ(home, **environ)
            return run(command, there, self.folder, limit, cores=self.cores)

    def tried(self, command: Sequence[str], limit: float, **environ: str) -> tuple[int, str]:
        """The exit code and the output of a command that may fail; -1 when its time is up."""
        with TemporaryDirectory(prefix="dataware-bench-") as home:
            try:
                done = subprocess.run(
                    command,
                    cwd=self.folder,
                    env=self.environ(home, **environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=limit,
                    check=False,
                )
            except subprocess.TimeoutExpired as late:
                return -1, (late.stdout or b"").decode(errors="replace")
        return done.returncode, done.stdout.decode(errors="replace")

    def environ(self, home: str, **more: str) -> dict[str, str]:
        """The environment of a program: it finds the responder, and nothing of the user's."""
        there = {**self.server.environ(), "AWS_ENDPOINT_URL": self.responder.endpoint, **more}
        config = Path(home) / "aws.config"
        config.write_text(f"[default]\ns3 =\n  max_concurrent_requests = {TRANSFERS}\n")
        s3 = there.get("AWS_ENDPOINT_URL_S3", there["AWS_ENDPOINT_URL"])
        rclone = {"TYPE": "s3", "PROVIDER": "Other", "ENV_AUTH": "true", "ENDPOINT": s3}
        return clean_environ(
            there,
            HOME=home,
            AWS_CONFIG_FILE=str(config),
            S3_ENDPOINT_URL=s3,
            DATAWARE_STATE=f"{home}/state",
            PYTHONPATH=str(ROOT),
            NO_COLOR="1",
            **{f"RCLONE_CONFIG_BENCH_{name}": value for name, value in rclone.items()},
        )


@contextmanager
def world() -> Iterator[World]:
    """Start the servers; everything ends and vanishes with the block."""
    with (
        running_on(SERVERS),
        EmbeddedAws() as server,
        Responder(server.endpoint) as responder,
        TemporaryDirectory(prefix="dataware-bench-") as folder,
    ):
        yield World(server, responder, Path(folder))
