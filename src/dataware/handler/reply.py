"""Answers CloudFormation, which waits for one PUT to the URL that came with its request.

The URL is presigned, so it is never logged and stands in no error.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from dataware.calc.json_size import cut

REASON_BYTES = 2000
"""Of the 4,096 bytes that an answer may have (AWS CloudFormation User Guide, "Custom resource
response objects")."""

ATTEMPTS, SECONDS = 4, 10.0

REQUEST_FIELDS = ("StackId", "RequestId", "LogicalResourceId", "ResponseURL")
"""What of a request an answer needs."""


def reply(
    request: Mapping[str, Any],
    physical_id: str,
    refusal: str | None = None,
    data: Mapping[str, str] | None = None,
) -> None:
    """Answer that the resource is ready, with its attributes, or with `refusal` why it is not.

    Raises OSError when the answer cannot be delivered after several attempts. Answering twice is
    harmless: CloudFormation takes the first answer.
    """
    answer = {
        "Status": "FAILED" if refusal else "SUCCESS",
        "Reason": cut(refusal or "the data has arrived", REASON_BYTES),
        "PhysicalResourceId": physical_id,
        "StackId": request["StackId"],
        "RequestId": request["RequestId"],
        "LogicalResourceId": request["LogicalResourceId"],
        **({"Data": data} if data else {}),
    }
    body = json.dumps(answer).encode()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _put(request["ResponseURL"], body)
        except OSError as error:
            if attempt == ATTEMPTS:
                why = f"CloudFormation did not take the answer: {type(error).__name__}"
                raise OSError(why) from None
            time.sleep(2**attempt / 4)
        else:
            return


def _put(url: str, body: bytes) -> None:
    # A presigned URL is signed for an empty content type.
    headers = {"Content-Type": "", "Content-Length": str(len(body))}
    if not url.startswith(("https://", "http://")):
        raise OSError("the request names no web address to answer to")
    request = urllib.request.Request(url, body, headers, method="PUT")  # noqa: S310 - checked above
    with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 - checked above
        return
