"""Warns where a call on a referenced resource does nothing, or less than it says.

CDK takes such calls in silence. Calls out of Python are seen; those that other constructs of the
CDK library make inside of it are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from aws_cdk import Annotations
from constructs import Construct

from dataware.cdk.versions import add_warning

NOTHING = "{name} is referenced, not declared, so {method} does nothing"
"""What is said of a method that needs a resource of the own stack."""


def warn_on_use(
    construct: Construct, reference: object, name: str, methods: Mapping[str, str]
) -> None:
    """Let every call of `methods` on `reference` leave a warning on `construct`."""
    for method, text in methods.items():
        original = getattr(reference, method, None)
        if original is not None:
            message = text.format(name=name, method=method)
            setattr(reference, method, _with_warning(construct, original, message))


def report_unused(construct: Construct, name: str, properties: Iterable[str]) -> None:
    """Say which properties wait until the stack owns the resource."""
    unused = ", ".join(sorted(properties))
    if unused:
        text = f"{name} is referenced, so these properties of it have no effect: {unused}"
        Annotations.of(construct).add_info(text)


def _with_warning(
    construct: Construct, original: Callable[..., Any], message: str
) -> Callable[..., Any]:
    @wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        add_warning(construct, "dataware:reference", message)
        return original(*arguments, **named)

    return call
