"""The resource types that dataware knows: one module each, imported on demand.

A new type is one module that ends in a `KIND`, and one line in `CATALOGUE`. A kind sees only
`dataware.core`, and no other kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from dataware.calc.suggest import SLIP, did_you_mean
from dataware.calc.words import list_words, plural
from dataware.core.errors import InputError
from dataware.core.kind import Kind

CATALOGUE: Mapping[str, str] = MappingProxyType(
    {
        "AWS::S3::Bucket": "s3_bucket",
        "AWS::DynamoDB::Table": "dynamodb_table",
        "AWS::DynamoDB::GlobalTable": "dynamodb_table.global_table",
        "AWS::SSM::Parameter": "ssm_parameter",
        "AWS::ECR::Repository": "ecr_repository",
        "AWS::Cognito::UserPool": "cognito_user_pool",
        "AWS::Logs::LogGroup": "log_group",
        "AWS::SecretsManager::Secret": "secret",
        "AWS::SQS::Queue": "sqs_queue",
        "AWS::Kinesis::Stream": "kinesis_stream",
        "AWS::EFS::FileSystem": "efs_file_system",
        "AWS::RDS::DBInstance": "rds_database",
        "AWS::RDS::DBCluster": "rds_database.cluster",
        "AWS::KMS::Key": "kms_key",
        "AWS::OpenSearchService::Domain": "opensearch_domain",
    }
)


def load(cfn_type: str) -> Kind:
    """The card of a CloudFormation type; raises InputError, with what may have been meant."""
    try:
        module = CATALOGUE[cfn_type]
    except KeyError:
        raise InputError(
            f"unknown resource type {cfn_type!r}, {did_you_mean(cfn_type, CATALOGUE, SLIP)}"
        ) from None
    kind: Kind = import_module(f"{__name__}.{module}").KIND
    return kind


def unit_of_type(cfn_type: str) -> str:
    """What a resource type holds, such as "item"; raises InputError as `load` does."""
    return load(cfn_type).unit


def short_of(slug: str) -> str:
    """What people call a type, by the word that records and events have for it: "table"."""
    # Cards are loaded up to the one that is meant: where a deployment runs, not all are there.
    return next((kind.short for kind in map(load, CATALOGUE) if kind.names.slug == slug), slug)


def kind_of_record(slug: str, target: str) -> Kind:
    """The card of a type by the word that the record of a migration into `target` has for it.

    Raises InputError for a word that only another version knows.
    """
    for kind in kinds():
        if kind.names.slug == slug:
            return kind
    raise InputError(
        f"the record of {target} is of a {slug}, which this version of dataware does not know: use "
        "the version that made it"
    )


def list_copied() -> str:
    """What dataware copies and compares, in words: "buckets, tables and repositories"."""
    return list_words(dict.fromkeys(plural(kind.short) for kind in kinds() if kind.copying))


def kinds() -> tuple[Kind, ...]:
    """Every card, in the order of the catalogue."""
    return tuple(load(cfn_type) for cfn_type in CATALOGUE)


def kinds_by_type() -> Mapping[str, Kind]:
    """Every card by its CloudFormation type, each loaded when it is asked for."""
    return LoadedKinds()


class LoadedKinds(Mapping[str, Kind]):
    """The cards of the catalogue; whoever asks for one type loads no other."""

    def __getitem__(self, cfn_type: str) -> Kind:
        """The card of a type; KeyError for one that is not in the catalogue."""
        if cfn_type not in CATALOGUE:
            raise KeyError(cfn_type)
        return load(cfn_type)

    def __contains__(self, cfn_type: object) -> bool:
        """Whether the catalogue has a type."""
        return cfn_type in CATALOGUE

    def __iter__(self) -> Iterator[str]:
        """The types, in the order of the catalogue."""
        return iter(CATALOGUE)

    def __len__(self) -> int:
        """How many types there are."""
        return len(CATALOGUE)


def guarded_kinds() -> Mapping[str, Kind]:
    """The cards, and those of types that hold data into which nobody can look."""
    # Where a migration runs in a deployment, nothing is guarded.
    from dataware.kinds.unknown import HOLDS_DATA, make_opaque_card  # noqa: PLC0415 - see above

    return {one: make_opaque_card(one) for one in HOLDS_DATA} | dict(kinds_by_type())
