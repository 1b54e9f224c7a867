"""Imports of types that AWS imports and the emulator does not; run by `overlay`.

This file imports nothing of dataware, which is not installed where it runs. Source: AWS
CloudFormation User Guide, "Resource type support" (a global table and a repository are imported by
their names).
"""

import json

from ministack.services import ecr
from ministack.services.cloudformation import changesets, provisioners

HANDLERS, LOOKUPS = provisioners._RESOURCE_HANDLERS, changesets._IMPORT_LOOKUPS

# --- CloudFormation: a global table is imported as a table is

LOOKUPS["AWS::DynamoDB::GlobalTable"] = LOOKUPS["AWS::DynamoDB::Table"]
HANDLERS["AWS::DynamoDB::GlobalTable"]["import"] = HANDLERS["AWS::DynamoDB::Table"]["import"]


# --- CloudFormation: a repository is imported with its images


def find_problem(name):
    """The sentence about a repository that is not there, or None."""
    if name in ecr._repositories:
        return None
    key = json.dumps({"/properties/RepositoryName": name}, separators=(",", ":"))
    return changesets._IMPORT_NOT_FOUND.format(type="AWS::ECR::Repository", value=key)


def import_repository(identifier):
    """The repository as it is: its name, and the attributes that a template may ask for."""
    repository = ecr._repositories[identifier["RepositoryName"]]
    attributes = {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}
    return identifier["RepositoryName"], attributes


LOOKUPS["AWS::ECR::Repository"] = (("RepositoryName",), find_problem)
HANDLERS["AWS::ECR::Repository"]["import"] = import_repository
