"""The card of AWS::DynamoDB::GlobalTable, which is how CDK's TableV2 declares a table.

It is the same thing under the same name: only the template says it in other words. A table with
replicas is copied in its own region, and DynamoDB carries the items on to the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataware.core.model import Setting
from dataware.kinds.dynamodb_table import KIND as TABLE
from dataware.kinds.dynamodb_table.comparison import COMPARISON_OF_GLOBAL_TABLES
from dataware.kinds.dynamodb_table.declared import list_missing_globally
from dataware.kinds.dynamodb_table.probe import declared_settings as settings_of_table

OF_A_REPLICA = ("PointInTimeRecoverySpecification", "DeletionProtectionEnabled")
UNSEEN = {name: {"Fn::GetAtt": ["Replicas", name]} for name in OF_A_REPLICA}


def declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The protective settings that CloudFormation properties declare, those of a replica included.

    Replicas may differ, and which of them is this region's is not always literal: a setting counts
    as that of the table only where all replicas agree.
    """
    replicas = properties.get("Replicas")
    shared = {name: value for name, value in properties.items() if name == "SSESpecification"}
    if not isinstance(replicas, list) or not all(isinstance(one, Mapping) for one in replicas):
        return settings_of_table({**shared, **UNSEEN})
    each = [
        settings_of_table({**shared, **{name: one[name] for name in OF_A_REPLICA if name in one}})
        for one in replicas or [{}]
    ]
    first, *rest = each
    return {
        name: setting
        for name, setting in first.items()
        if all(other.get(name) == setting for other in rest)
    }


KIND = replace(
    TABLE,
    cfn_type="AWS::DynamoDB::GlobalTable",
    template=replace(
        TABLE.template,
        short_form=None,
        list_missing=list_missing_globally,
        describe=None,
        declared_settings=declared_settings,
        protective=("SSESpecification", "Replicas"),
        # CloudFormation Template Reference, AWS::DynamoDB::GlobalTable: "Update requires:
        # Replacement".
        replaced_by=("KeySchema", "LocalSecondaryIndexes"),
    ),
    comparison=COMPARISON_OF_GLOBAL_TABLES,
)
