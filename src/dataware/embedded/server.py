"""Starts and stops the embedded AWS.

The server is a process of its own that lives no longer than this one. It listens on 127.0.0.1
only; the socket is made here and handed over, so that no other process can take the port.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from dataware.core.errors import DatawareError, InputError
from dataware.core.ports import Emit
from dataware.embedded.environment import Waiting, embedded_python, ignore, wait_quietly

_OVERLAY = Path(__file__).with_name("overlay.py")
_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_QUOTED_LINES = 8
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How short-lived streams are, so that a test need not wait for a day; None: as in AWS.

    Shards end after `shard_records` records (in AWS after hours), records are trimmed after
    `stream_seconds`, and iterators expire after `iterator_seconds`; expired items are deleted every
    `ttl_seconds`. A restore, an export and an import of a table take `restore_seconds`,
    `export_seconds` and `import_seconds` (in AWS minutes to hours).
    """

    shard_records: int | None = None
    stream_seconds: float | None = None
    iterator_seconds: float | None = None
    ttl_seconds: float | None = None
    restore_seconds: float | None = None
    export_seconds: float | None = None
    import_seconds: float | None = None

    def environ(self) -> dict[str, str]:
        """The variables by which the server is told."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {f"STREAMS_{n.upper()}": str(value) for n, value in values.items() if value}


class EmbeddedAws:
    """An AWS on 127.0.0.1, as a context manager.

    `account` is the account that `environ()` signs in to; any other twelve digits used as an
    access key are another account. `auth` enforces signatures and IAM. `persist` is a folder that
    keeps everything over a restart; without it all is forgotten at the end. `emit` is told when
    the environment has to be made first, and `waiting` lasts as long as that. `port` is free to
    choose; 0 takes any free one. `streams` are short-lived as they say.
    """

    def __init__(
        self,
        *,
        account: str = "000000000000",
        region: str = "us-east-1",
        auth: bool = False,
        persist: Path | None = None,
        emit: Emit = ignore,
        waiting: Waiting = wait_quietly,
        port: int = 0,
        streams: StreamSettings | None = None,
    ) -> None:
        if len(account) != 12 or not (account.isascii() and account.isdigit()):
            raise InputError(f"The account of the embedded AWS must be 12 digits, not {account!r}")
        self.account = account
        self.region = region
        self._auth = auth
        self._persist = persist
        self._emit = emit
        self._waiting = waiting
        self._port = port
        self._streams = streams or StreamSettings()
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: Path | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The address for every service, such as ``http://127.0.0.1:41234``."""
        if self._process is None:
            raise DatawareError("The embedded AWS is not running: call start() first")
        return f"http://{_HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise DatawareError("The embedded AWS is not running: call start() first")
        return self._process.pid

    def environ(self) -> dict[str, str]:
        """The variables that point the AWS SDKs, the AWS CLI and CDK at this server.

        The user's configuration files are left out, because a profile there could name another
        endpoint. Whoever merges this into an environment removes AWS_PROFILE and
        AWS_SESSION_TOKEN from it.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **_without_proxy(),
        }

    def start(self) -> Self:
        """Start the server and wait until it answers. Raises DatawareError if it does not."""
        if self._process is not None:
            return self
        python = embedded_python(self._emit, self._waiting)
        self._scratch = Path(tempfile.mkdtemp(prefix="dataware-aws-"))
        try:
            self._launch(python, self._scratch)
            self._await_health(self._scratch / "log")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and everything that it started, and remove its temporary files."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _end_group(process.pid)
            if process.stdin is not None:
                process.stdin.close()
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)

    def reset(self) -> None:
        """Forget every resource of every account."""
        with _direct.open(f"{self.endpoint}/_ministack/reset", data=b"", timeout=30):
            return

    def _launch(self, python: Path, scratch: Path) -> None:
        try:
            listener = socket.create_server((_HOST, self._port))
        except OSError as error:
            raise DatawareError(
                f"The embedded AWS cannot listen on {_HOST}:{self._port} ({error.strerror}): "
                "choose another port"
            ) from error
        with listener, (scratch / "log").open("wb") as log:
            self._port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                [str(python), "-I", str(_OVERLAY), str(listener.fileno())],
                # The server ends when this pipe does: no end of this process leaves it behind.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._server_environ(scratch),
                pass_fds=(listener.fileno(),),
                # Ctrl-C is for the program that uses the server, which then stops it.
                start_new_session=True,
            )

    def _server_environ(self, scratch: Path) -> dict[str, str]:
        environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        state = self._persist if self._persist is not None else scratch / "state"
        state.mkdir(parents=True, exist_ok=True)
        return environ | {
            **self._streams.environ(),
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_HOST": _HOST,
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "AUTH": "true" if self._auth else "false",
            "PERSIST_STATE": "1" if self._persist is not None else "0",
            "S3_PERSIST": "1" if self._persist is not None else "0",
            "STATE_DIR": str((state / "state").absolute()),
            "S3_DATA_DIR": str((state / "s3").absolute()),
            "TMPDIR": str(scratch),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _await_health(self, log: Path) -> None:
        process, deadline = self._process, time.monotonic() + _START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            try:
                with _direct.open(f"{self.endpoint}/_ministack/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise DatawareError(f"The embedded AWS did not start; its log ends with: {_tail(log)}")


# A proxy that the environment names cannot reach this machine's own addresses.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _without_proxy() -> dict[str, str]:
    """NO_PROXY, in both spellings, with this machine added to what it names already."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    hosts = [host for host in named.split(",") if host and host != _HOST]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join([*hosts, _HOST]))


def _end_group(group: int) -> None:
    """End what the server started, such as the processes of its Lambda functions."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return " | ".join([line for line in lines if line.strip()][-_QUOTED_LINES:]) or "nothing"
