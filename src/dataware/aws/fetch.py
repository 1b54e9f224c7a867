"""Bodies of answers as they were sent, by the SDK's clients without the SDK's parsers.

The parsers cost fifty times what the rest of a call costs. Everything else is the client's: it
signs, finds the endpoint, tries again, checks the checksum of the JSON services and names errors.
It does not see, however, when a body is truncated, so that is looked for here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dataware.core.errors import LookupFailedError
from dataware.core.model import Problem

T = TypeVar("T")

BODY = "UndecodedBody"
TRIES = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0

KEPT_BYTES = 4 * 1024**2
"""Half of what a thread keeps: a page of a table takes less, with body, pieces and items."""


def keep_raw_bodies(client: Any) -> Any:
    """A client whose successful answers have their body under `BODY`, and nothing else."""
    # The two wildcards come before the SDK's own handlers, one of which parses S3's answers.
    client.meta.events.register("before-parse.*.*", _keep)
    keep_freed_memory()
    return client


def keep_freed_memory() -> None:
    """Let the memory of one body be used for the next, instead of going back to the system.

    To get it again, page by page and cleared, takes a third of what reading a table costs. glibc
    gives back a block as soon as it is freed, and the end of a heap that has grown twice as long,
    if they are larger than any such block that was freed before (mallopt(3), M_MMAP_THRESHOLD). So
    one is made here, no byte of which is ever touched. Other allocators take no notice.
    """
    bytes(KEPT_BYTES)


def fetch(
    call: Callable[..., Mapping[str, Any]],
    read: Callable[[bytes], T],
    arguments: Mapping[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `read` makes of the body; a body that is torn, or a ValueError, is asked for again.

    `call` is a method of a client of `keep_raw_bodies`. Raises LookupFailedError when no try brings
    a whole one.
    """
    flaw = ""
    for tries in range(TRIES):
        if tries:
            sleep(random.uniform(0, min(FIRST_PAUSE * 2.0**tries, LONGEST_PAUSE)))
        answer = call(**arguments)
        try:
            return read(_whole(answer))
        except (RecursionError, ValueError) as error:
            flaw = str(error)
    name = "".join(word.capitalize() for word in call.__name__.split("_"))
    raise LookupFailedError(
        f"{name} returned an incomplete response {TRIES} times in a row ({flaw}); run the same "
        "command again later",
        Problem(name, "GarbledAnswer", None, flaw),
    )


def _whole(answer: Mapping[str, Any]) -> bytes:
    """The body, if it is as long as was announced."""
    body = answer.get(BODY, b"")
    promised_length = answer["ResponseMetadata"]["HTTPHeaders"].get("content-length", "")
    if promised_length.isdigit() and int(promised_length) != len(body):
        raise ValueError(f"{len(body)} of {promised_length} bytes")
    return bytes(body)


def _keep(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Put the body of a success beside the answer, so that there is nothing left to parse."""
    if response_dict["status_code"] == 200:
        customized_response_dict[BODY] = response_dict["body"]
        response_dict["body"] = b""
