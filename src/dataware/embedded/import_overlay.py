"""Imports of types that AWS imports and the emulator does not; run by `overlay`.

This file imports nothing of dataware, which is not installed where it runs. Source: AWS
CloudFormation User Guide, "Resource type support", and the primary identifiers in the schemas of
the types (a secret is imported by its ARN, a file system by its id, all others by their names).
"""

import json

from ministack.services import ecr, efs, kinesis, opensearch, rds, secretsmanager
from ministack.services.cloudformation import changesets, drift, provisioners

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


# --- CloudFormation: what has a record under its name is imported with all that is in it


def import_by(cfn_type, key, records, read_attributes):
    """Let a type be imported by the key of its record; `key` is the identifying property."""

    def find_problem(value):
        if value in records:
            return None
        return changesets._IMPORT_NOT_FOUND.format(
            type=cfn_type, value=json.dumps({f"/properties/{key}": value}, separators=(",", ":"))
        )

    def adopt(identifier):
        value = identifier[key]
        return value, read_attributes(records[value])

    LOOKUPS[cfn_type] = ((key,), find_problem)
    HANDLERS[cfn_type]["import"] = adopt


import_by(
    "AWS::Kinesis::Stream",
    "Name",
    kinesis._streams,
    lambda stream: {"Arn": stream["StreamARN"]},
)
import_by(
    "AWS::EFS::FileSystem",
    "FileSystemId",
    efs._file_systems,
    provisioners._efs_file_system_attrs,
)
import_by(
    "AWS::RDS::DBInstance",
    "DBInstanceIdentifier",
    rds._instances,
    provisioners._rds_db_instance_attrs,
)
import_by(
    "AWS::RDS::DBCluster",
    "DBClusterIdentifier",
    rds._clusters,
    provisioners._rds_db_cluster_attrs,
)
import_by(
    "AWS::OpenSearchService::Domain",
    "DomainName",
    opensearch._domains,
    lambda domain: {"Arn": domain["ARN"], "DomainArn": domain["ARN"]},
)


# --- Secrets Manager: what is made without a value has no version


@replaces(secretsmanager, "_create_secret")  # noqa: F821 - given by `overlay`
def create_secret(original, data):
    """A secret, with a version only if it has a value."""
    answer = original(data)
    is_empty = data.get("SecretString") is None and data.get("SecretBinary") is None
    if answer[0] == 200 and is_empty:
        secretsmanager._secrets[data["Name"]]["Versions"].clear()
    return answer


# --- CloudFormation: the physical id of a secret is its ARN, by which it is imported

BY_ARN = "AWS::SecretsManager::Secret"


def name_of(arn):
    """The name of a secret; an unknown ARN as it is."""
    return secretsmanager._resolve(arn)[0] or arn


def with_arn(made):
    """The answer of a handler, with the ARN in the place of the name."""
    name, *rest = made
    return (secretsmanager._secrets[name]["ARN"], *rest)


handler = HANDLERS[BY_ARN]
handler.update(
    {
        "create": lambda *args, make=handler["create"]: with_arn(make(*args)),
        "update": lambda arn, *args, change=handler["update"]: with_arn(
            change(name_of(arn), *args)
        ),
        "delete": lambda arn, *args, remove=handler["delete"]: remove(name_of(arn), *args),
        "import": lambda identifier: (identifier["Id"], {"Id": identifier["Id"]}),
    }
)
LOOKUPS[BY_ARN] = (
    ("Id",),
    lambda arn: (
        None
        if secretsmanager._resolve(arn)[1]
        else changesets._IMPORT_NOT_FOUND.format(type=BY_ARN, value=arn)
    ),
)
read_secret, compared = drift._DRIFT_READERS[BY_ARN]
drift._DRIFT_READERS[BY_ARN] = (
    lambda arn, properties: read_secret(name_of(arn), properties),
    compared,
)
