"""The embedded AWS's own evaluation of templates, asked in its own interpreter.

It is a second implementation, written by others; it answers a template a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Self

ACCOUNT, REGION, STACK = "000000000000", "us-east-1", "Shop"


class EmulatedEvaluation:
    """A process that evaluates templates; used with `with`."""

    def __enter__(self) -> Self:
        from dataware.embedded.environment import embedded_python

        self._process = subprocess.Popen(
            [str(embedded_python()), __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def evaluate(self, document: dict[str, Any], names: dict[str, str]) -> Any:
        """The resources of a template, evaluated; `names` are those that exist, by logical id.

        A text that begins with "error" is why it refuses the template.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([document, names]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _answer(document: dict[str, Any], names: dict[str, str]) -> Any:
    from ministack.services.cloudformation import engine, language_extensions

    parameters = engine._resolve_parameters(document, [])
    plain = {name: one["Value"] for name, one in parameters.items()}
    written = language_extensions.apply(document, plain)
    conditions = engine._evaluate_conditions(written, parameters)
    deployed = {
        name: {"PhysicalResourceId": one, "Attributes": {"Arn": f"arn:aws:s3:::{one}"}}
        for name, one in names.items()
    }
    return engine._resolve_refs(
        written["Resources"],
        deployed,
        parameters,
        conditions,
        written.get("Mappings", {}),
        STACK,
        f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1",
    )


def main() -> None:
    """Answer each template on standard input with a line."""
    for line in sys.stdin:
        try:
            answer = _answer(*json.loads(line))
        except ValueError as error:
            answer = f"error: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
