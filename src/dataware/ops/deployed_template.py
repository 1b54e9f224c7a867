"""The template that a stack was deployed with, as a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from dataware.core.ports import Aws
from dataware.core.values import MOST_LEVELS, count_levels
from dataware.ops.inputs.yaml_forms import describe_mistake, parse_yaml

TOO_DEEP = "it is nested too deep"


def read_deployed(aws: Aws, stack: str) -> Mapping[str, Any] | str:
    """The document of a deployed template, or in a text why it is none.

    Raises LookupFailedError, and NotFoundError without the stack.
    """
    try:
        body = aws.stack_template(stack)
        document = parse_yaml(body) if isinstance(body, str) else body
        if isinstance(document, Mapping) and count_levels(document) <= MOST_LEVELS:
            return document
    except yaml.YAMLError as error:
        return describe_mistake(error)
    except RecursionError:
        return TOO_DEEP
    return "it is not a readable template"
