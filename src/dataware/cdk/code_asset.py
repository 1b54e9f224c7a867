"""The code that runs in Lambda, as an asset of CDK."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from dataware.ops.map_engine.lambda_code import digest, write_code


@contextmanager
def handler_code() -> Iterator[lambda_.Code]:
    """The asset; functions have to be made inside of the context, which is when it is read."""
    with tempfile.TemporaryDirectory(prefix="dataware-") as scratch:
        folder = Path(scratch) / "code"
        write_code(folder)
        yield lambda_.Code.from_asset(str(folder), asset_hash=digest(folder))
