"""What a resource is called where several are told of: its name, and its kind if two share it."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.kinds import short_of


class ResourceLabels:
    """The labels of all resources that events have named so far."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}

    def note(self, data: Mapping[str, object]) -> None:
        """Remember the resource that an event is about."""
        kinds = self._kinds.setdefault(str(data.get("name", "")), set())
        if kind := data.get("kind"):
            kinds.add(str(kind))

    @property
    def several(self) -> bool:
        """Whether more than one resource was told of."""
        return sum(max(1, len(kinds)) for kinds in self._kinds.values()) > 1

    def label(self, data: Mapping[str, object]) -> str:
        """The name of a resource, with its kind where another has the name as well."""
        name, kind = str(data.get("name", "")), data.get("kind")
        is_shared = len(self._kinds.get(name, ())) > 1
        return f"{name} ({short_of(str(kind))})" if kind and is_shared else name
