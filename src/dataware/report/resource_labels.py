"""What a resource is called where several are reported: its name, and its kind if two share it."""

from __future__ import annotations

from collections.abc import Mapping


class ResourceLabels:
    """The labels of all resources that events have named so far."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}
        self._places: dict[str, set[str]] = {}

    def note(self, data: Mapping[str, object]) -> None:
        """Remember the resource that an event is about."""
        name = str(data.get("name", ""))
        kinds = self._kinds.setdefault(name, set())
        places = self._places.setdefault(name, set())
        if kind := data.get("kind"):
            kinds.add(str(kind))
        if place := data.get("target"):
            places.add(str(place))

    @property
    def several(self) -> bool:
        """Whether more than one resource was reported."""
        counts = (max(1, len(kinds)) for kinds in self._kinds.values())
        return sum(counts) > 1 or any(len(places) > 1 for places in self._places.values())

    def label(self, data: Mapping[str, object]) -> str:
        """The name of a resource, with its kind where another has the name as well."""
        name, kind = str(data.get("name", "")), data.get("kind")
        is_shared = len(self._kinds.get(name, ())) > 1
        return f"{name} ({_short_of(str(kind))})" if kind and is_shared else name

    def full_label(self, data: Mapping[str, object]) -> str:
        """The label, behind its place where the name stands in several."""
        place, label = data.get("target"), self.label(data)
        several = len(self._places.get(str(data.get("name", "")), ())) > 1
        return f"{place}: {label}" if place and several else label


def _short_of(slug: str) -> str:
    # Seldom do two types share a name, and --version needs no card at all.
    from dataware.kinds import short_of  # noqa: PLC0415 - see above

    return short_of(slug)
