"""What a manifest names."""

from __future__ import annotations

import json

import pytest

from dataware.kinds.ecr_repository.copy.manifests import Manifest, ManifestParts, read_parts
from support.images import OCI, digest_of

ONE, TWO = digest_of(b"1"), digest_of(b"2")


def parts_of(document: object) -> ManifestParts:
    """The parts of a manifest of a document."""
    return read_parts(Manifest(json.dumps(document).encode(), OCI))


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({}, ManifestParts()),
        ({"config": {"digest": ONE}, "layers": [{"digest": TWO}]}, ManifestParts((), (ONE, TWO))),
        ({"layers": [{"digest": ONE}, {"digest": ONE}]}, ManifestParts((), (ONE,))),
        ({"blobs": [{"digest": ONE}], "subject": {"digest": TWO}}, ManifestParts((), (ONE,), TWO)),
        ({"manifests": [{"digest": ONE}, {"digest": TWO}]}, ManifestParts((ONE, TWO))),
        ({"layers": [{"digest": ONE, "urls": ["https://a.example"]}]}, ManifestParts()),
        (
            {"layers": [{"digest": ONE, "mediaType": "application/x.foreign.tar"}]},
            ManifestParts(),
        ),
    ],
)
def test_blobs_children_and_subject_are_read(document: object, parts: ManifestParts) -> None:
    """Each blob once, and none that lies outside of the registry."""
    assert parts_of(document) == parts


@pytest.mark.parametrize("document", [[], "x", {"layers": [{}]}, {"manifests": [{"digest": 1}]}])
def test_what_is_no_manifest_is_told(document: object) -> None:
    """It never counts as an image without layers."""
    with pytest.raises(ValueError, match="not that of an image"):
        parts_of(document)
