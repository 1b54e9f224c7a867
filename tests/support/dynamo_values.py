"""Strategies for DynamoDB's attribute values, and other ways to write the same value."""

from __future__ import annotations

from base64 import b64decode, b64encode
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Value = dict[str, Any]


def numbers() -> st.SearchStrategy[str]:
    """Numbers of at most 38 digits, as DynamoDB writes them."""
    exponents = st.integers(-80, 80)
    return st.builds(lambda n, e: f"{n}E{e}", st.integers(-(10**38) + 1, 10**38 - 1), exponents)


def values() -> st.SearchStrategy[Value]:
    """Attribute values of every type, in DynamoDB's JSON."""
    binary = st.binary(max_size=8).map(lambda raw: b64encode(raw).decode())
    text = st.text(max_size=8)
    leaves = st.one_of(
        st.builds(lambda each: {"S": each}, text),
        st.builds(lambda each: {"N": each}, numbers()),
        st.builds(lambda each: {"B": each}, binary),
        st.builds(lambda each: {"BOOL": each}, st.booleans()),
        st.just({"NULL": True}),
        st.builds(lambda each: {"SS": each}, st.lists(text, min_size=1, unique=True)),
        st.builds(lambda each: {"NS": each}, st.lists(numbers(), min_size=1, unique_by=Decimal)),
        st.builds(lambda each: {"BS": each}, st.lists(binary, min_size=1, unique=True)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda each: {"L": each}, st.lists(inner, max_size=4)),
            st.builds(lambda each: {"M": each}, st.dictionaries(text, inner, max_size=4)),
        ),
        max_leaves=8,
    )


ITEMS = st.dictionaries(st.text(min_size=1, max_size=8), values(), max_size=5)


def otherwise(value: Value) -> Value:
    """The same value in another order and another notation."""
    ((kind, content),) = value.items()
    if kind == "N":
        return {kind: another_number(content)}
    if kind == "NS":
        return {kind: [another_number(each) for each in reversed(content)]}
    if kind in {"SS", "BS"}:
        return {kind: content[::-1]}
    if kind == "L":
        return {kind: [otherwise(each) for each in content]}
    if kind == "M":
        return {kind: {name: otherwise(content[name]) for name in reversed(content)}}
    return value


def another_number(text: str) -> str:
    """The same number, with a zero more and the exponent moved."""
    mantissa, _, exponent = text.partition("E")
    return f"{mantissa}0E{int(exponent or 0) - 1}"


def as_sdk(value: Value) -> Value:
    """A value as the SDK gives it: binary as bytes."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: b64decode(content)}
    if kind == "BS":
        return {kind: [b64decode(each) for each in content]}
    if kind == "L":
        return {kind: [as_sdk(each) for each in content]}
    if kind == "M":
        return {kind: {name: as_sdk(each) for name, each in content.items()}}
    return value
