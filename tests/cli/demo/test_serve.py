"""`dataware demo --serve`: an AWS for a shell beside it, until it is told to end."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import ended, launch_python, run


@pytest.fixture
def served() -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own."""
    process = launch_python("demo", "--serve")
    yield process
    process.kill()
    process.communicate()


def pointed_at(process: subprocess.Popen[str], folder: Path) -> dict[str, str]:
    """The variables of a shell that has read what the server printed."""
    assert process.stdout is not None
    lines = []
    while not lines or "DATAWARE_STATE" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()[1]
    script = folder / "aws.sh"
    script.write_text("".join(lines))
    shell = subprocess.run(
        ["sh", "-c", f"AWS_PROFILE=mine; . {script}; env -0"],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(pair.split("=", 1) for pair in shell.stdout.split("\0") if pair)


def test_a_shell_is_pointed_at_a_server_that_answers(
    served: subprocess.Popen[str], tmp_path: Path
) -> None:
    """What is printed leads to the server, and away from whatever a profile says."""
    variables = pointed_at(served, tmp_path)
    endpoint = variables["AWS_ENDPOINT_URL"]
    assert endpoint.startswith("http://127.0.0.1:")
    assert "AWS_PROFILE" not in variables
    assert variables["AWS_REGION"] == "us-east-1"
    with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=30) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_when_it_is_told_to(
    served: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C is the ordinary end: exit 0, nothing left on disk, no traceback."""
    state = Path(pointed_at(served, tmp_path)["DATAWARE_STATE"])
    assert state.parent.is_dir()
    served.send_signal(number)
    done = ended(served)
    assert done.code == 0, done
    assert "Local AWS emulator running at http://127.0.0.1:" in done.err
    assert "Traceback" not in done.err
    assert not state.parent.exists()


def test_a_port_that_is_taken_is_said(served: subprocess.Popen[str], tmp_path: Path) -> None:
    """The one sentence names the port and what to do."""
    port = pointed_at(served, tmp_path)["AWS_ENDPOINT_URL"].rpartition(":")[2]
    done = run("demo", "--serve", "--port", port)
    assert done.code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.err
    assert done.out == ""


def test_a_port_needs_a_server() -> None:
    """An option that would have no effect is refused."""
    done = run("demo", "--port", 4566)
    assert done.code == 1
    assert "--port says where --serve listens" in done.err
