"""The card of AWS::SQS::Queue: kept, adopted by its URL, or referenced; not copied.

Whether a queue holds messages is only estimated by the service, with counters that may lag by a
minute (Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS" and API Reference,
GetQueueAttributes). So what shows none is as good as empty where a stack takes it in, and may hold
some where it is left behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    is_on,
    number_of,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, MakingTransform, Names, Permissions, Template
from dataware.core.model import (
    NOT_SHOWN,
    Content,
    Existence,
    Facts,
    Problem,
    Setting,
    Size,
    absent,
)
from dataware.core.phases import ACCOUNT, DESCRIBE, IMPORT
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.core.values import find_function, is_function

_URL, _LIST = "sqs:GetQueueUrl", "sqs:ListQueues"
_ATTRIBUTES, _TAGS = "sqs:GetQueueAttributes", "sqs:ListQueueTags"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_COUNTERS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
RETENTION = "MessageRetentionPeriod"
_PAGE = 1000
"""Queues in one answer, at most (Amazon SQS API Reference, ListQueues)."""


def check_name(name: str) -> str | None:
    """What is wrong with a queue's name, or None.

    Source: Amazon SQS API Reference, CreateQueue, `QueueName`.
    """
    if not _NAME.fullmatch(name):
        return "a queue's name has 1 to 80 letters, digits and _-, and that of a FIFO ends in .fifo"
    return None


def find_name(url: str) -> str | None:
    """The name at the end of a queue's URL."""
    return url.rpartition("/")[2] if "://" in url else None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under a name, or under a URL."""
    try:
        url = _find_url(aws, name)
        if url is None:
            return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _URL),))
    try:
        attributes = _read_attributes(aws, url)
    except NotFoundError:
        return _check_absence(aws, name, url)
    except LookupFailedError as error:
        problems = (problem_of(error, _ATTRIBUTES),)
        return Facts(name, Existence.EXISTS, identity=url, physical_id=url, problems=problems)
    count = sum(int(attributes.get(one, 0)) for one in _COUNTERS)
    return Facts(
        name,
        Existence.EXISTS,
        Content.DATA if count else Content.EMPTY,
        size=Size(count, 0, exact=False),
        is_estimate=True,
        identity=attributes.get("CreatedTimestamp"),
        physical_id=url,
        settings=_settings(
            attributes.get("KmsMasterKeyId"), is_on(attributes.get("SqsManagedSseEnabled"))
        ),
    )


def _find_url(aws: Aws, name: str) -> str | None:
    """The URL of a queue; None without it, as two questions say.

    Who may not see a queue hears that it does not exist, or that he has no access to it, in one
    sentence: so what is not there is looked for in the list of all queues, too. Raises
    LookupFailedError.
    """
    if "://" in name:
        return name
    sqs = aws.client("sqs")
    try:
        with aws.translate_errors(f"queue {name}", _URL):
            return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except NotFoundError:
        return _find_listed(aws, name)


def _find_listed(aws: Aws, name: str) -> str | None:
    """The URL of a queue in the list of all; None without it. Raises LookupFailedError."""
    pages = aws.client("sqs").get_paginator("list_queues")
    pages = pages.paginate(QueueNamePrefix=name, PaginationConfig={"PageSize": _PAGE})
    with aws.translate_errors(f"queue {name}", _LIST):
        urls = [url for page in pages for url in page.get("QueueUrls", ())]
    return next((url for url in urls if find_name(url) == name), None)


def _check_absence(aws: Aws, name: str, url: str) -> Facts:
    """What is known of a queue whose attributes are said to be of none, or of one nobody may see.

    One that is being deleted is listed for a minute, and is there until then.
    """
    try:
        listed = _find_listed(aws, str(find_name(url)))
    except LookupFailedError as unseen:
        return Facts(name, problems=(problem_of(unseen, _LIST),))
    if listed != url:
        return absent(name)
    detail = (
        f"queue {name} is listed and does not show its attributes, so it may not be seen "
        f"({_ATTRIBUTES}), or is being deleted"
    )
    problem = Problem("GetQueueAttributes", NOT_SHOWN, _ATTRIBUTES, detail)
    return Facts(name, Existence.EXISTS, identity=url, physical_id=url, problems=(problem,))


def _read_attributes(aws: Aws, url: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"queue {find_name(url)}", _ATTRIBUTES):
        answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: Mapping[str, Any] = answer["Attributes"]
    return attributes


def _settings(key: object, by_service: object) -> dict[str, Setting]:
    """How well messages are protected; what is not literal is left out."""
    if isinstance(key, str) and key:
        return {"encryption": Setting(2, "own KMS key")}
    if key is not None or not isinstance(by_service, bool):
        return {}
    return {"encryption": Setting(1, "key of the service") if by_service else Setting(0, "off")}


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: CloudFormation Template Reference, AWS::SQS::Queue (`SqsManagedSseEnabled`).
    """
    by_service = properties.get("SqsManagedSseEnabled", True)
    literal = None if is_function(by_service) else is_on(by_service)
    return _settings(properties.get("KmsMasterKeyId"), literal)


_NUMBERS = (
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "MaximumMessageSize",
    RETENTION,
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)
_SWITCHES = ("ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled")
_WORDS = ("DeduplicationScope", "FifoThroughputLimit", "KmsMasterKeyId")
_DOCUMENTS = ("RedriveAllowPolicy", "RedrivePolicy")


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a queue as it is.

    Raises NotFoundError without the queue, and LookupFailedError where nothing of it is seen.
    """
    url = _find_url(aws, name)
    if url is None:
        raise NotFoundError(f"no queue is named {name}")
    attributes = _read_attributes(aws, url)
    names = (*_NUMBERS, *_SWITCHES, *_WORDS, *_DOCUMENTS)
    properties = {one: attributes[one] for one in names if attributes.get(one) is not None}
    try:
        with aws.translate_errors(f"queue {name}", _TAGS):
            tags = aws.client("sqs").list_queue_tags(QueueUrl=url).get("Tags") or {}
    except LookupFailedError as error:
        return LiveConfiguration(properties, {"Tags": problem_of(error, _TAGS)})
    listed = ({"Key": key, "Value": value} for key, value in tags.items())
    return LiveConfiguration({**properties, "Tags": own_tags(listed)})


def find_shorter_retention(name: str, live: Any, declared: Any) -> str | None:
    """The messages that a declared retention would delete and the live one does not.

    Source: Amazon SQS API Reference, SetQueueAttributes, `MessageRetentionPeriod` (a shorter period
    counts for the messages that are in the queue, too).
    """
    if name != RETENTION or declared is None:
        return None
    if function := find_function(declared):
        return f"its declared retention is computed ({function}), and may delete messages"
    if live is not None and int(declared) >= int(live):
        return None
    return f"messages are deleted after {int(declared):,} seconds"


def _document(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _switch(value: Any) -> Any:
    return value if is_function(value) else is_on(value)


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        **dict.fromkeys(_NUMBERS, number_of),
        **dict.fromkeys(_SWITCHES, _switch),
        **dict.fromkeys(_WORDS, lambda value: value),
        **dict.fromkeys(_DOCUMENTS, _document),
        "Tags": tags_form,
    },
    is_fixed=lambda name, _live, _declared: name == "FifoQueue",
    find_deletion=find_shorter_retention,
    # CloudFormation Template Reference, AWS::SQS::Queue ("Default: 345600").
    defaults={RETENTION: 345_600},
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:sqs:{region}:{account}:{find_name(name) or name}",)


KIND = Kind(
    cfn_type="AWS::SQS::Queue",
    names=Names("sqs-queue", "SQS queue", "queue", "message", check_name),
    template=Template(
        identifier="QueueName",
        # AWS SAM Developer Guide, AWS::Serverless::Function: `SqsSubscription` and
        # `DeadLetterConfig` of an event, `OnFailure` and `OnSuccess` of `EventInvokeConfig`.
        made_by=MakingTransform("AWS::Serverless-2016-10-31", ("Events", "EventInvokeConfig")),
        declared_settings=_declared_settings,
        protective=("KmsMasterKeyId", "SqsManagedSseEnabled"),
        replaced_by=("FifoQueue",),
        adoptable=False,
        import_identifier="QueueUrl",
        name_of=find_name,
        reference_is_id=True,
    ),
    access=Permissions(
        phases={
            ACCOUNT: (_LIST,),
            "probe": (_URL, _ATTRIBUTES),
            DESCRIBE: (_URL, _ATTRIBUTES, _TAGS),
            IMPORT: (_ATTRIBUTES, _TAGS),
            "create": (
                "sqs:CreateQueue",
                "sqs:GetQueueAttributes",
                "sqs:SetQueueAttributes",
                "sqs:TagQueue",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
