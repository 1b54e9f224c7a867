"""What is known of a CDK command line that is installed as a package."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dataware.cli.deployment.cdk_cli import find_cdk
from dataware.cli.deployment.cdk_package import find_package, keep_answer, read_answer
from support.assemblies import HELP


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """The command of a package that npm installed; it writes down what it is asked."""
    package = tmp_path / "node_modules/aws-cdk"
    (package / "bin").mkdir(parents=True)
    (tmp_path / "node_modules/.bin").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/node").write_text("#!/bin/sh\n")
    (tmp_path / "bin/node").chmod(0o755)
    describe(package)
    program = package / "bin/cdk"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\ncat "{HELP}"\n')
    program.chmod(0o755)
    command = tmp_path / "node_modules/.bin/cdk"
    command.symlink_to("../aws-cdk/bin/cdk")
    return command


def describe(package: Path, version: str = "2.1148.1", name: str = "aws-cdk") -> None:
    """Write what describes a package."""
    said = {"name": name, "version": version, "bin": {"cdk": "bin/cdk"}}
    (package / "package.json").write_text(json.dumps(said))


def calls(folder: Path) -> list[str]:
    """What the command was asked."""
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_the_options_are_asked_once(tmp_path: Path, linked: Path) -> None:
    """A second deployment starts no process to learn them, until the package is another one."""
    environ = {"PATH": f"{tmp_path / 'bin'}:/bin"}
    first = find_cdk(tmp_path, environ)
    assert first.command == (str(linked),)
    assert calls(tmp_path) == ["deploy --help"], "the version stands in the package"
    assert find_cdk(tmp_path, environ).options == first.options
    assert calls(tmp_path) == ["deploy --help"]
    describe(linked.resolve().parents[1], "2.2000.0")
    assert find_cdk(tmp_path, environ).options == first.options
    assert calls(tmp_path) == ["deploy --help"] * 2
    os.utime(linked.resolve(), ns=(1, 1))
    find_cdk(tmp_path, environ)
    assert calls(tmp_path) == ["deploy --help"] * 3


@pytest.mark.parametrize("damage", ["", "x", "0\nOptions:\n", b"\xff\xfe"])
def test_a_broken_answer_is_passed_over(tmp_path: Path, linked: Path, damage: str | bytes) -> None:
    """It is asked again, and kept again."""
    package = find_package([str(linked)])
    assert package is not None
    keep_answer(package, "Options:\n  -a, --app  [string]\n")
    kept = package.answer.read_bytes()
    package.answer.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    assert read_answer(package) is None
    package.answer.write_bytes(kept[:-1])
    assert read_answer(package) is None, "a part of it"
    package.answer.write_bytes(kept)
    assert read_answer(package) == "Options:\n  -a, --app  [string]\n"


def test_a_cache_that_cannot_be_written_costs_time_only(
    tmp_path: Path, linked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command is asked every time."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        find_cdk(tmp_path, {"PATH": f"{tmp_path / 'bin'}:/bin"})
    assert calls(tmp_path) == ["deploy --help"] * 2


def test_only_a_link_into_the_package_is_one(tmp_path: Path, linked: Path) -> None:
    """A script may call anything, npx as well, and another package is another program."""
    assert find_package([str(linked)]) is not None
    assert find_package(["npx", "--no-install", "cdk"]) is None
    assert find_package([str(tmp_path / "absent")]) is None
    script = tmp_path / "node_modules/.bin/shim"
    script.write_text("#!/bin/sh\n")
    assert find_package([str(script)]) is None
    package = linked.resolve().parents[1]
    (package / "bin/other").write_text("#!/bin/sh\n")
    assert find_package([str(package / "bin/other")]) is None
    describe(package, name="cdk")
    assert find_package([str(linked)]) is None
    (package / "package.json").write_text("{")
    assert find_package([str(linked)]) is None
