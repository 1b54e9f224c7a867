"""The real CDK command line, pinned by tests/e2e/cdk/package-lock.json and kept in the cache.

``python -m support.cdk_cli`` installs it ahead of the tests, with what the example in TypeScript
needs; what is there needs no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dataware.embedded import EmbeddedAws
from dataware.embedded.environment import cache_folder
from support.peers import UnavailableError

PROJECT = Path(__file__).resolve().parent.parent / "e2e" / "cdk"
TYPESCRIPT = Path(__file__).resolve().parents[2] / "examples" / "typescript"
FILES = ("package.json", "package-lock.json")
BESIDE = Path(sys.executable).parent
QUIET = {
    "CI": "1",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    "NODE_NO_WARNINGS": "1",
    # The kernel unpacks the CDK library below the home folder, which every test replaces.
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache_folder() / "jsii"),
}
SHORT_WAITS = {"NODE_OPTIONS": f"--require {Path(__file__).with_name('short_waits.cjs')}"}
"""CDK asks CloudFormation again after five seconds, which is long for the embedded AWS."""

NEVER_ASK = ("--require-approval", "never", "--no-notices")


def install() -> Path:
    """The `cdk` command, installed if need be. Raises UnavailableError without Node or network."""
    return node_modules(PROJECT) / ".bin" / "cdk"


def node_modules(project: Path) -> Path:
    """What the lock file of a project pins, installed if need be. Raises UnavailableError."""
    pinned = b"".join((project / name).read_bytes() for name in FILES)
    folder = cache_folder() / "peers" / f"npm-{hashlib.sha256(pinned).hexdigest()[:12]}"
    modules = folder / "node_modules"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            for name in FILES:
                shutil.copyfile(project / name, made / name)
            _install(made)
            # Another process may have been quicker; its folder is as good.
            with suppress(OSError):
                made.rename(folder)
    return modules


def _install(folder: Path) -> None:
    path = f"{BESIDE}{os.pathsep}{os.environ['PATH']}"
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise UnavailableError("Node.js with npm is not installed")
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--silent"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["npm says nothing"]
        raise UnavailableError(f"the packages of npm cannot be installed: {lines[-1]}")


@dataclass(frozen=True)
class Cli:
    """The CDK command line on one app, in a folder of its own, against one embedded AWS."""

    aws: EmbeddedAws
    app: Path
    folder: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command, on the app; its exit code is for the test to judge."""
        return self._run(*arguments, "--app", f"{sys.executable} {self.app}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [str(install()), *arguments, "--no-notices"],
            cwd=self.folder,
            env={
                **environ,
                **self.aws.environ(),
                **QUIET,
                **SHORT_WAITS,
                **self.variables,
                "CDK_HOME": str(self.folder / "home"),
                "PATH": f"{BESIDE}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def bootstrap(self) -> None:
        """Bootstrap the account, which needs no synth of the app."""
        done = self._run("bootstrap", f"aws://{self.aws.account}/{self.aws.region}")
        assert done.returncode == 0, done.stdout + done.stderr

    def deploy(self) -> subprocess.CompletedProcess[str]:
        """Deploy every stack of the app."""
        return self.run("deploy", "--all", "--require-approval", "never")


@dataclass(frozen=True)
class Project:
    """A CDK project in a folder of its own, with the commands that a developer types in it."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *command: str) -> str:
        """Run a command that has to succeed; its output."""
        code, said = self.ended(*command)
        assert code == 0, said
        return said

    def ended(self, *command: str, folder: Path | None = None) -> tuple[int, str]:
        """How a command ends, and its output."""
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, done.stdout

    def bootstrap(self, aws: EmbeddedAws) -> None:
        """Bootstrap the account, beside the project, because within it CDK runs the app first."""
        where = f"aws://{aws.account}/{aws.region}"
        code, said = self.ended(
            "cdk", "bootstrap", where, "--no-notices", folder=self.folder.parent
        )
        assert code == 0, said

    def cdk_deploy(self, *arguments: str) -> str:
        """What `cdk deploy` says."""
        return self.run("cdk", "deploy", *NEVER_ASK, *arguments)

    def dataware(self, *arguments: str) -> str:
        """What a command of dataware says."""
        return self.run(sys.executable, "-m", "dataware.cli", *arguments)

    def dataware_deploy(self, *arguments: str) -> str:
        """Data first, then the stack."""
        return self.dataware("deploy", "--yes", "--", *NEVER_ASK, *arguments)

    def check_no_difference(self, *arguments: str) -> None:
        """The templates of a plain synth, or of the named assembly, are those that are deployed."""
        said = self.run("cdk", "diff", "--no-notices", *arguments)
        assert "There were no differences" in said, said
        assert "Number of stacks with differences: 0" in said, said


def make_project(source: Path, folder: Path, home: Path) -> Project:
    """A copy of a project in `folder`, on the AWS of this process's environment.

    Raises UnavailableError as `install` does.
    """
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules", "cdk.out"))
    if (source / FILES[1]).exists():
        (folder / "node_modules").symlink_to(node_modules(source))
    places = [install().parent, BESIDE, os.environ["PATH"]]
    environ = {
        **os.environ,
        **QUIET,
        **SHORT_WAITS,
        # CDK's own check of every template takes longer than the rest of a synth.
        "CDK_VALIDATION": "false",
        "CDK_HOME": str(home),
        "PATH": os.pathsep.join(map(str, places)),
    }
    return Project(folder, environ)


if __name__ == "__main__":
    try:
        install()
        node_modules(TYPESCRIPT)
    except UnavailableError as reason:
        print(f"Tests with the CDK command line are skipped: {reason}")
