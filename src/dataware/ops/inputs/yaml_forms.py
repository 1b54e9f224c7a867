"""YAML as CloudFormation reads it: short forms of functions, no dates, no key twice.

CloudFormation knows no aliases, the tools in front of it do. They may stand for one another, and
what they stand for is bounded before anything is built of it.
"""

from __future__ import annotations

from typing import Any

import yaml

from dataware.core.values import MOST_LEVELS

MOST_NODES = 300_000
"""How many values a document may hold once its aliases are written out: a template of 1 MB, the
most that CloudFormation takes, holds fewer."""

TEXT = "tag:yaml.org,2002:str"
MERGE = "tag:yaml.org,2002:merge"
KNOWN = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "seq", "map", "merge", "value")
)


class TemplateLoader(yaml.SafeLoader):
    """SafeLoader that knows `!Ref` and its kin."""

    def get_single_node(self) -> yaml.Node | None:
        """The document's node, refused where its aliases come to too much."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _Sizes().check(node, 1)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value; what its tag promises and its text does not keep is a mistake of the file."""
        if node.tag not in KNOWN and not node.tag.startswith("!"):
            raise _mistake(f"{node.tag.replace('tag:yaml.org,2002:', '!!')} has no meaning", node)
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise _mistake(f"the value is no {node.tag.rpartition(':')[2]}", node) from error


class _Sizes:
    """Counts what a node comes to, without writing it out, and reads its keys as texts."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()

    def check(self, node: yaml.Node, level: int) -> tuple[int, int]:
        """How many nodes and levels it stands for.

        Raises a YAML error for too many, for what has no end, and for keys that are none.
        """
        if id(node) in self._open:
            raise _mistake("an alias refers to itself", node)
        if level > MOST_LEVELS or level + self._known.get(id(node), (0, 0))[1] > MOST_LEVELS + 1:
            raise _mistake(f"it is nested more than {MOST_LEVELS} levels deep", node)
        if id(node) not in self._known:
            self._open.add(id(node))
            _read_keys(node)
            inner = [self.check(one, level + 1) for one in _inside(node)]
            self._open.discard(id(node))
            count = 1 + sum(counted for counted, _ in inner)
            if count > MOST_NODES:
                raise _mistake(f"its aliases come to more than {MOST_NODES:,} values", node)
            self._known[id(node)] = count, 1 + max((levels for _, levels in inner), default=0)
        return self._known[id(node)]


def _read_keys(node: yaml.Node) -> None:
    """Make the keys of a mapping texts, as in JSON.

    Refuses a key that is no scalar, and one that stands twice, of which YAML would keep the last.
    """
    if not isinstance(node, yaml.MappingNode):
        return
    keys = set()
    for at, (key, value) in enumerate(node.value):
        if not isinstance(key, yaml.ScalarNode) or key.tag not in KNOWN:
            raise _mistake("a key must be text, not a list, mapping or function", key)
        if key.value in keys:
            raise _mistake(f"key {key.value} is given twice", key)
        keys.add(key.value)
        if key.tag != MERGE:
            node.value[at] = (yaml.ScalarNode(TEXT, key.value, key.start_mark), value)


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _mistake(text: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, text, node.start_mark)


def _short_form(loader: TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """The long form of `!Suffix value`."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has three kinds of nodes
        value = loader.construct_mapping(node, deep=True)
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


TemplateLoader.add_multi_constructor("!", _short_form)
# Versions such as 2010-09-09 are strings in a template.
TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str) -> object:
    """The document. Raises yaml.YAMLError, also for one that is nested or grows without bound."""
    try:
        return yaml.load(text, TemplateLoader)  # noqa: S506 - TemplateLoader is a SafeLoader
    except RecursionError as error:
        raise yaml.YAMLError(f"it is nested more than {MOST_LEVELS} levels deep") from error


def describe_mistake(error: yaml.YAMLError) -> str:
    """A mistake in one clause, with its line where there is one."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem:
        at = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        return f"{at}{error.problem}"
    return " ".join(str(error).split())
