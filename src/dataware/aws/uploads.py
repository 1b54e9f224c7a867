"""What CDK has uploaded for a deployment; nothing is uploaded here."""

from __future__ import annotations

from dataware.core.model import Upload
from dataware.core.names import url_suffix_of
from dataware.core.ports import Aws

LIST = "s3:ListBucket"


def find_upload(aws: Aws, address: str) -> Upload:
    """What is under an address such as ``s3://BUCKET/KEY``, in which CDK leaves the place open.

    A listing says for certain that nothing is there, which a denied look at an object does not.
    Sources: AWS CDK, cloud assembly schema, `stackTemplateAssetObjectUrl`; AWS CloudFormation API
    Reference, CreateChangeSet, `TemplateURL`. Raises LookupFailedError, and NotFoundError without
    the bucket.
    """
    values = {"AccountId": aws.account, "Region": aws.region, "Partition": aws.partition}
    for name, value in values.items():
        address = address.replace(f"${{AWS::{name}}}", value)
    bucket, _, key = address.removeprefix("s3://").partition("/")
    with aws.translate_errors(address, LIST):
        answer = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    sizes = [one["Size"] for one in answer.get("Contents", ()) if one["Key"] == key]
    host = f"s3.{aws.region}.{url_suffix_of(aws.partition)}"
    return Upload(address, f"https://{host}/{bucket}/{key}", sizes[0] if sizes else None)
