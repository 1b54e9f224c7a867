"""The wheel, installed as a user installs it: a fresh environment, no extras and no checkout.

The demo of `test_demo.py` runs in the same environment.
"""

from __future__ import annotations

import subprocess
import zipfile
from email.parser import Parser

import pytest

from dataware import __version__
from support.wheel import PAGE, ROOT, Installation

pytestmark = pytest.mark.xdist_group("demo")


def test_the_wheel_says_what_it_is_and_carries_the_whole_package(installed: Installation) -> None:
    """Readme, licence, keywords and classifiers are in it, and every file of the package."""
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
        about = f"dataware-{__version__}.dist-info"
        said = Parser().parsestr(archive.read(f"{about}/METADATA").decode())
    assert said["Name"] == "dataware"
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Description-Content-Type"] == "text/markdown"
    assert {"aws-cdk", "dynamodb", "s3"} <= set(said["Keywords"].split(","))
    assert "Framework :: AWS CDK :: 2" in said.get_all("Classifier", [])
    assert f"{about}/licenses/LICENSE" in names
    package = ROOT / "src/dataware"
    files = {
        f"dataware/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - names == set()
    shared = f"dataware-{__version__}.data"
    assert {name.split("/")[0] for name in names} == {"dataware", about, shared}
    assert [name for name in names if name.startswith(shared)] == [
        f"{shared}/data/share/man/man1/dataware.1"
    ]


def test_the_man_page_is_where_man_looks(installed: Installation) -> None:
    """Below the environment, from where `pipx` links it."""
    page = installed.environment / "share/man/man1/dataware.1"
    assert page.read_bytes() == (ROOT / PAGE).read_bytes()


def test_the_source_distribution_is_no_checkout(installed: Installation) -> None:
    """It holds what the wheel is built from; the wheel of the fixture was built out of it."""
    listed = subprocess.run(
        ["tar", "tzf", str(installed.wheel.parent / f"dataware-{__version__}.tar.gz")],
        capture_output=True,
        text=True,
        check=True,
    )
    tops = {name.split("/")[1] for name in listed.stdout.split() if name.count("/") == 1}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= tops
    assert "tests" not in {name.split("/")[1] for name in listed.stdout.split() if "/" in name}


def test_the_commands_answer_without_extras(installed: Installation) -> None:
    """Each way to ask for the version, the help and an explanation ends with 0."""
    version = f"dataware {__version__}\n"
    assert installed.run("dataware", "--version").out == version
    python = str(installed.environment / "bin/python")
    assert installed.run(python, "-m", "dataware", "-V").out == version
    bare = installed.run("dataware")
    assert (bare.code, bare.err) == (0, "")
    assert "demo" in bare.out
    explained = installed.run("dataware", "explain", "3")
    assert (explained.code, explained.err) == (0, "")
    assert explained.out.startswith("Rule 3")
