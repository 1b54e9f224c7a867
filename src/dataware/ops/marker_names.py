"""How the records of migrations name their sources and targets."""

from __future__ import annotations

from dataware.core.copier import CopyOrder
from dataware.core.kind import Kind
from dataware.core.names import full_name


def on_record(kind: Kind, order: CopyOrder) -> tuple[str, str]:
    """Source and target as the record and the journal name them.

    The record lies where the target does, so a source of elsewhere is named by its ARN. The copy
    of a part has a record of its own, because it says nothing of the whole.
    """
    source, target = order.source, order.target
    name = full_name(kind, source, target)
    if not (source.prefix or target.prefix):
        return name, target.name
    return f"{name}/{source.prefix}", f"{target.name}/{target.prefix}"
