"""The wheel of these sources, installed as a user installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dataware.embedded.environment import cache_folder
from support.cli import Ran

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("src", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE")
PAGE = Path("docs/dataware.1")
UV = str(Path(sys.executable).with_name("uv"))


@dataclass(frozen=True)
class Installation:
    """A wheel, and what `uv tool install` made of it."""

    wheel: Path
    programs: Path
    environment: Path
    home: Path

    def run(self, *command: object) -> Ran:
        """Type a command in an empty home folder, with next to no variables."""
        variables = {
            "HOME": str(self.home),
            "PATH": f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "DATAWARE_CACHE": str(cache_folder()),
            "PYTHONUTF8": "1",
        }
        ran = subprocess.run(
            [str(each) for each in command],
            cwd=self.home,
            env=variables,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)


def install_wheel(folder: Path) -> Installation:
    """Build both distributions in `folder` and install the wheel into an environment there."""
    sources, home = folder / "sources", folder / "home"
    sources.mkdir()
    home.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, sources / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, sources)
    (sources / PAGE).parent.mkdir()
    shutil.copy(ROOT / PAGE, sources / PAGE)
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    environ = {**os.environ, **places}
    dist = folder / "dist"
    build = [UV, "build", "--quiet", "--out-dir", str(dist), str(sources)]
    subprocess.run(build, check=True, env=environ)
    (wheel,) = dist.glob("*.whl")
    install = [UV, "tool", "install", "--quiet", "--python", sys.executable, str(wheel)]
    subprocess.run(install, check=True, env=environ)
    return Installation(wheel, folder / "bin", folder / "tools/dataware", home)
