"""Tags of resources; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

HOLDING = {"Key": "dataware", "Value": "holding"}
"""The tag of holding stacks, which CloudFormation hands down to what they create."""


def own_tags(tags: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The tags that people have set: neither those of AWS, which nobody may set, nor ours."""
    named = ({"Key": tag["Key"], "Value": tag["Value"]} for tag in tags)
    return [tag for tag in named if not tag["Key"].startswith("aws:") and tag != HOLDING]
