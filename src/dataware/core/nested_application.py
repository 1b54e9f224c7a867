"""A nested application of the serverless model, and the nested stack that it stands for; pure.

Source: AWS SAM Developer Guide, "AWS::Serverless::Application", and "Generated CloudFormation
resources": the stack has the logical id of the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NESTED_APPLICATION = "AWS::Serverless::Application"


def write_out_application(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The nested stack; that of an application in a repository has no template to name."""
    full = {**resource, "Type": "AWS::CloudFormation::Stack"}
    properties = resource.get("Properties")
    if not isinstance(properties, Mapping) or "Location" not in properties:
        return full
    others = {name: one for name, one in properties.items() if name != "Location"}
    return {**full, "Properties": {"TemplateURL": properties["Location"], **others}}
