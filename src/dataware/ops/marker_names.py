"""How the records of migrations name their sources and targets."""

from __future__ import annotations

from dataware.core.copier import CopyOrder
from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.core.names import full_name, is_arn, parse_name, place_of
from dataware.kinds import kinds


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


def name_here(text: str, account: str, region: str) -> str:
    """The name in an ARN of this account and region, which a record has; else the text itself."""
    place = _place_in_arn(text, account, region)
    return place.name if place and place.region == region else text


def refuse_elsewhere(text: str, account: str, region: str) -> None:
    """Raise InputError for an ARN of another account or region, where its record would lie."""
    place = _place_in_arn(text, account, region)
    if place and (place.owner, place.region) != (account, region):
        raise InputError(
            f"{text} is in account {place.owner}, {place.region}, and so is the record of a "
            f"migration into it, but this run is in account {account}, {region}: choose them with "
            "--profile and --region"
        )


def _place_in_arn(text: str, account: str, region: str) -> Location | None:
    for kind in kinds() if is_arn(text) else ():
        if parse_name(kind, text) is not None:
            return place_of(kind, text, account, region)
    return None
