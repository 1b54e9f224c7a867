"""The emulator's environment: made once, whole or not at all, and replaceable."""

from __future__ import annotations

import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dataware.core.errors import DatawareError
from dataware.core.events import Event
from dataware.embedded import environment
from dataware.embedded.environment import EMULATOR_VERSION, cache_folder, embedded_python


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder."""
    monkeypatch.delenv("DATAWARE_EMBEDDED_PYTHON", raising=False)
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@dataclass
class Tools:
    """Stands in for pip, which answers `status` and `output`; venv is real, without pip in it."""

    ran: list[str] = field(default_factory=list)
    status: int = 0
    output: str = ""

    def run(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` does for the two tools."""
        self.ran.append(" ".join(command))
        if "pip" in command:
            return subprocess.CompletedProcess(command, self.status, "", self.output)
        venv.create(command[-1], symlinks=True)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Tools that make an environment in no time."""
    tools = Tools()
    monkeypatch.setattr(subprocess, "run", tools.run)
    return tools


def test_the_emulator_is_the_version_that_the_overlay_knows(embedded: object) -> None:
    """The environment holds exactly the version that the overlay was written for."""
    command = "from importlib.metadata import version; print(version('ministack'))"
    done = subprocess.run(
        [embedded_python(), "-c", command], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == EMULATOR_VERSION


def test_the_environment_is_made_once_and_said_once(cache: Path, tools: Tools) -> None:
    """A second use runs nothing and says nothing, so that it needs no network."""
    events: list[Event] = []
    first = embedded_python(events.append)
    commands = len(tools.ran)
    assert embedded_python(events.append) == first
    assert first.exists()
    assert len(tools.ran) == commands
    assert [each.code for each in events] == ["note"]
    assert str(cache) in events[0].text()


def test_only_the_installation_is_waited_for(cache: Path, tools: Tools) -> None:
    """Whoever shows the seconds hears what is done, as long as it lasts, and only once."""
    told: list[str] = []

    @contextmanager
    def waiting(what: str) -> Iterator[None]:
        before = len(tools.ran)
        yield
        told.append(f"{what}: {len(tools.ran) - before}")

    for _ in range(2):
        embedded_python(waiting=waiting)
    assert told == ["Installing the local AWS emulator: 2"]


def test_the_folder_names_the_version_the_python_and_the_requirements(
    cache: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another set of requirements gets a folder of its own."""
    first = embedded_python().parent.parent
    monkeypatch.setattr(environment, "_requirements", lambda: "other==1")
    second = embedded_python().parent.parent
    assert first.name.startswith(f"ministack-{EMULATOR_VERSION}-py{sys.version_info.major}.")
    assert first.name.rpartition("-")[0] == second.name.rpartition("-")[0]
    assert first != second


def test_two_at_once_make_one_environment(cache: Path, tools: Tools) -> None:
    """Processes that start together wait for each other instead of building twice."""
    threads = [threading.Thread(target=embedded_python) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("venv" in command for command in tools.ran) == 1


def test_an_environment_whose_python_is_gone_is_made_again(cache: Path, tools: Tools) -> None:
    """A folder that an upgrade of Python has broken does not stay in the way."""
    interpreter = embedded_python()
    interpreter.unlink()
    interpreter.symlink_to("/nowhere/python")
    assert embedded_python() == interpreter
    assert interpreter.exists()


PIP_WITHOUT_NETWORK = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'
ERROR: Could not find a version that satisfies the requirement ministack (from versions: none)
ERROR: No matching distribution found for ministack==1.5.33

[notice] A new release of pip is available
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (PIP_WITHOUT_NETWORK, "No matching distribution found for ministack==1.5.33; check the"),
        ("Killed.\n", "Killed; check the network"),
        ("", "no reason was given; check the network"),
    ],
)
def test_a_failed_installation_leaves_nothing_and_says_why(
    output: str, reason: str, cache: Path, tools: Tools
) -> None:
    """Without network the user reads one sentence with pip's reason and what to do."""
    tools.status, tools.output = 1, output
    with pytest.raises(DatawareError) as caught:
        embedded_python()
    sentence = str(caught.value)
    assert sentence.startswith("Cannot install the embedded AWS: ")
    assert reason in sentence
    assert "DATAWARE_EMBEDDED_PYTHON" in sentence
    assert "\n" not in sentence
    assert not [each for each in cache.iterdir() if each.suffix != ".lock"]


def test_the_override_must_be_an_interpreter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """DATAWARE_EMBEDDED_PYTHON is used as it is, and a wrong one is named."""
    monkeypatch.setenv("DATAWARE_EMBEDDED_PYTHON", sys.executable)
    assert embedded_python() == Path(sys.executable)
    monkeypatch.setenv("DATAWARE_EMBEDDED_PYTHON", str(tmp_path / "no-python"))
    with pytest.raises(DatawareError, match=r"DATAWARE_EMBEDDED_PYTHON names .*no-python"):
        embedded_python()


def test_a_cache_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file in the place of the cache folder is an error with a way out."""
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("DATAWARE_EMBEDDED_PYTHON", raising=False)
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DatawareError, match=r"cannot be written .*DATAWARE_CACHE"):
        embedded_python()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"DATAWARE_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/dataware"),
        ({}, "/h/.cache/dataware"),
    ],
)
def test_the_cache_follows_the_usual_variables(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own variable goes first, then the desktop standard, then the home folder."""
    for name in ("DATAWARE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/h")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
