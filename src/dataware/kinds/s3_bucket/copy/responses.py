"""What S3 answers mean; pure.

Only a complete document of the expected sort is a success. An error inside a 200, an empty body
or a torn document is worth another try, and never looks like an empty bucket or a finished copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

# The documents come from the service itself, and expat resolves no external entities.
from xml.etree.ElementTree import Element, ParseError, fromstring

from dataware.core.ports import Judgement, Response
from dataware.http.error_answer import read_error

T = TypeVar("T")


class MalformedResponseError(Exception):
    """A document that is not what was asked for, or not all of it."""


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def texts(element: Element) -> dict[str, str]:
    """The children of an element as text, by name; of several equal ones the first counts."""
    by_tag: dict[str, str] = {}
    for child in element:
        by_tag.setdefault(local(child), child.text or "")
    return by_tag


def document(body: bytes) -> Element:
    """The root of a complete document; raises Garbled."""
    try:
        return fromstring(body)  # noqa: S314 - see the import
    except (ParseError, LookupError) as error:  # an encoding of a garbled name is a LookupError
        raise MalformedResponseError(str(error)) from error


def _judge_error(response: Response) -> Judgement:
    """What an answer means that is no success; its operation does not matter for that."""
    return read_error("", response).judge()


def judge_plain(response: Response) -> Judgement:
    """What an answer means whose status says everything (HEAD, DELETE)."""
    done = response.status in {200, 204, 206}
    return Judgement.DONE if done else _judge_error(response)


def judge_range(length: int) -> Callable[[Response], Judgement]:
    """A judge of ranged reads that takes `length` bytes and nothing else for a success."""

    def judge(response: Response) -> Judgement:
        if response.status not in {200, 206}:
            return _judge_error(response)
        return Judgement.DONE if len(response.body) == length else Judgement.RETRY

    return judge


class AnswerReader(Generic[T]):
    """A judge of documents that keeps what the good one said.

    `read` takes the root element and raises Garbled for anything but a whole, fitting document.
    `quick` may tell the same from the body at once; None means that `read` has to decide.
    """

    __slots__ = ("_quick", "_read", "value")

    def __init__(
        self, read: Callable[[Element], T], quick: Callable[[bytes], T | None] | None = None
    ) -> None:
        self._read = read
        self._quick = quick
        self.value: T | None = None

    def __call__(self, response: Response) -> Judgement:
        """Judge one answer."""
        self.value = None
        if response.status != 200:
            return _judge_error(response)
        if self._quick is not None:
            self.value = self._quick(response.body)
        if self.value is None:
            return self._judge(response)
        return Judgement.DONE

    def _judge(self, response: Response) -> Judgement:
        try:
            root = document(response.body)
            if local(root) == "Error":
                return _judge_error(response)
            self.value = self._read(root)
        except MalformedResponseError:
            return Judgement.RETRY
        return Judgement.DONE
