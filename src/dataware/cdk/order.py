"""What of a template comes after what, and what has to wait for a migration; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Edge = tuple[str, str]
"""What comes first, and what waits for it."""


@dataclass(frozen=True, slots=True)
class Node:
    """One resource of a template; all of `references` and `after` are logical ids.

    `name` is the physical name that it declares, if that is literal; `text` holds all other text
    in its properties.
    """

    cfn_type: str
    references: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    text: str = ""
    name: str | None = None


@dataclass(slots=True)
class Order:
    """The resources of one template by logical id, and what has been added to their order."""

    nodes: Mapping[str, Node]
    _added: dict[str, set[str]] = field(default_factory=dict)

    def wait_for(
        self, migration: str, target: str, protecting: Collection[str] = ()
    ) -> Iterator[Edge]:
        """Let all that uses a target wait for a migration into it.

        `target` is a physical name or a logical id; `protecting` are types that come before the
        migration where they can. What the migration itself needs is left out, so that no circle
        can arise.
        """
        declared = [id for id, node in self.nodes.items() if target in {id, node.name}]
        yield from self._add((id, migration) for id in declared if id != migration)
        users = [id for id in self.nodes if self._uses(id, declared, target)]
        others = [id for id in users if self.nodes[id].cfn_type not in protecting]
        for id in users:
            before = self.closure(migration)
            if id in before:
                continue
            first = self.nodes[id].cfn_type in protecting
            if first and self.closure(id).isdisjoint({migration, *others} - before):
                yield from self._add([(id, migration)])
            else:
                yield from self._add([(migration, id)])

    def closure(self, id: str) -> set[str]:
        """What has to come before a resource, and the resource itself."""
        closure, waiting = set[str](), [id]
        while waiting:
            one = waiting.pop()
            if one not in closure:
                closure.add(one)
                node = self.nodes[one]
                waiting += [*node.references, *node.after, *self._added.get(one, ())]
        return closure

    def _add(self, edges: Iterable[Edge]) -> Iterator[Edge]:
        for first, later in edges:
            if later not in self.closure(first):
                self._added.setdefault(later, set()).add(first)
                yield first, later

    def _uses(self, id: str, declared: Iterable[str], name: str) -> bool:
        node = self.nodes[id]
        if not node.references.isdisjoint(declared):
            return True
        return is_named(name, node.text)


def is_named(name: str, text: str) -> bool:
    """Whether a text holds a physical name, alone or in an ARN, but not as a part of another."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text) is not None
