"""Asks the code of the real CDK command line which stacks it would deploy, many times a second."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from support.cdk_cli import BESIDE, QUIET, install

SCRIPT = Path(__file__).with_suffix(".js")
NAMED = re.compile(r"selected<(.*?)>")
UNHARMED = re.compile(
    "Synthesis finished with errors|Since this app includes|No stacks match|This app contains no"
    "|You must either|No stack found"
)
"""Errors after which the parser of the command line is still fit to be used again."""

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class DeclaredStack:
    """A stack of an assembly: where it stands, and what it depends on, by artifact id."""

    id: str
    path: str
    needs: tuple[str, ...] = ()

    def artifact(self, *, erring: bool) -> dict[str, Any]:
        """The stack in a manifest; an erring one is named by CDK instead of being deployed."""
        error = {"type": "aws:cdk:error", "data": f"selected<{self.path}>"}
        return {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/us-east-1",
            "properties": {"templateFile": "empty.json", "stackName": f"stack-{self.id}"},
            "displayName": self.path,
            "dependencies": list(self.needs),
            "metadata": {f"/{self.path}": [error]} if erring else {},
        }


def write_assembly(
    folder: Path, stages: Mapping[str, Sequence[DeclaredStack]], *, erring: bool
) -> Path:
    """An assembly of stacks by stage; the stage without a name is the app itself."""
    for stage, stacks in stages.items():
        inner = folder / f"assembly-{stage}" if stage else folder
        inner.mkdir(parents=True, exist_ok=True)
        (inner / "empty.json").write_text('{"Resources": {}}')
        artifacts = {stack.id: stack.artifact(erring=erring) for stack in stacks}
        if not stage:
            artifacts |= {
                f"assembly-{one}": {
                    "type": "cdk:cloud-assembly",
                    "properties": {"directoryName": f"assembly-{one}", "displayName": one},
                }
                for one in stages
                if one
            }
        manifest = {"version": "36.0.0", "artifacts": artifacts}
        (inner / "manifest.json").write_text(json.dumps(manifest))
    return folder


@dataclass
class StackOracle:
    """The CDK command line in a process of its own; begun anew where a question has ended it."""

    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def __enter__(self) -> StackOracle:
        """Begin with the first question."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(30)
            self._process = None

    def ask(self, arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
        """What the command line says to some arguments, its error included."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"args": list(arguments), "environ": dict(environ or {})}))
        process.stdin.write("\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if answer["error"] and not UNHARMED.match(answer["error"]):
            self.close()
        return str(answer["text"] + answer["error"])

    def deployed(
        self, assembly: Path, words: Sequence[str], environ: Mapping[str, str] | None = None
    ) -> set[str]:
        """The stacks that `cdk deploy` would deploy; none where it refuses."""
        said = self.ask(["deploy", "--app", str(assembly), *words], environ)
        return set(NAMED.findall(said))

    def _start(self) -> subprocess.Popen[str]:
        path = f"{BESIDE}{os.pathsep}{os.environ['PATH']}"
        library = install().parent.parent / "aws-cdk/lib/index.js"
        mine = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CDK_"))
        }
        return subprocess.Popen(
            [shutil.which("node", path=path) or "node", str(SCRIPT), str(library)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**mine, **QUIET, **CREDENTIALS, "CDK_DISABLE_CLI_TELEMETRY": "true"},
        )
