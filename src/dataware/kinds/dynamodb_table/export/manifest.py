"""What an export says it has written, and whether the bucket holds just that.

Source: Amazon DynamoDB Developer Guide, "DynamoDB table export output format": the summary names
the list of data files, and each line of that list a file, its ETag and how many items it holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

MOST_FILES = 50_000
"""Objects that an import, or a bulk put, reads (Developer Guide, "Import quotas")."""


class ExportedFiles(NamedTuple):
    """How many data files an export has, and of how many items."""

    files: int
    items: int


def read_data_prefix(manifest: str) -> str:
    """Where the data files of an export lie, by the key of its summary."""
    folder, _, _ = manifest.rpartition("/")
    return f"{folder}/data/"


def find_files_key(summary: bytes, table: str) -> str:
    """The key of the list of data files. Raises ValueError for the summary of another table."""
    description = json.loads(summary)
    if description["tableArn"] != table:
        raise ValueError(f"it is of {description['tableArn']}")
    return str(description["manifestFilesS3Key"])


def check_files(summary: bytes, listing: bytes, etags: Mapping[str, str]) -> ExportedFiles:
    """The data files, of which `etags` are the ETags in the bucket.

    Raises ValueError where a file is missing, changed or not of the export, because an import
    would read whatever lies under the prefix, and where the numbers of items disagree.
    """
    files = [json.loads(line) for line in listing.splitlines() if line.strip()]
    description = {one["dataFileS3Key"]: str(one["etag"]).strip('"') for one in files}
    strange = sorted(etags.keys() ^ description.keys()) or sorted(
        key for key, etag in description.items() if etags[key] != etag
    )
    if strange:
        raise ValueError(f"{strange[0]} does not match its manifest")
    items = sum(int(one["itemCount"]) for one in files)
    if items != int(json.loads(summary)["itemCount"]):
        raise ValueError(f"its files hold {items:,} items, but its summary gives another number")
    return ExportedFiles(len(files), items)
