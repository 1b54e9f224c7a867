"""One migration of each kind, from ``old-one`` to ``new-one``, for tests that disturb it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cli import bucket_app, table_app
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    varied_items,
    varied_objects,
)

CHANGING = frozenset(
    {
        "BatchWriteItem",
        "PutItem",
        "CopyObject",
        "PutObject",
        "DeleteObject",
        "PutParameter",
        "CreateStack",
        "DeleteStack",
        "CreateTable",
        "CreateBucket",
    }
)
"""The operations that leave something changed."""


@dataclass(frozen=True)
class Migration:
    """How to fill the source and to look at both sides; `requests` make up a whole run."""

    fill: Callable[[], None]
    app: Callable[..., Path]
    content: Callable[[str], dict[str, Any]]
    write: str
    requests: int
    drop: Callable[[str], None]
    make: Callable[[str], None]

    def write_app(self, folder: Path) -> Path:
        """The app that prefers ``new-one``."""
        return self.app(folder / "dataware.toml", "new-one", "old-one")

    def arrived(self) -> bool:
        """Whether the target holds exactly what the source holds."""
        source = self.content("old-one")
        assert source, "a test without data proves nothing"
        return self.content("new-one") == source


def _drop_bucket(name: str) -> None:
    s3 = client("s3")
    for key in objects_of(name):
        s3.delete_object(Bucket=name, Key=key)
    s3.delete_bucket(Bucket=name)


MIGRATIONS = {
    "table": Migration(
        fill=lambda: make_table("old-one", varied_items(600)),
        app=table_app,
        content=items_of,
        write="BatchWriteItem",
        requests=58,
        drop=lambda name: client("dynamodb").delete_table(TableName=name),
        make=make_table,
    ),
    "bucket": Migration(
        fill=lambda: make_bucket("old-one", varied_objects(60)),
        app=bucket_app,
        content=objects_of,
        write="CopyObject",
        requests=97,
        drop=_drop_bucket,
        make=make_bucket,
    ),
}
