"""The archive of the workers' code; tests/cdk/test_lambda_asset.py says what belongs into it."""

from __future__ import annotations

import io
import zipfile

from dataware.ops.map_engine.lambda_code import make_zip


def test_the_archive_is_the_same_whenever_it_is_made() -> None:
    """It holds the handler, files that anybody may read, and no times."""
    packed = make_zip()
    assert packed == make_zip()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        assert "dataware/handler/work.py" in names
        assert names == sorted(names)
        assert {one.external_attr >> 16 for one in archive.infolist()} == {0o644}
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
