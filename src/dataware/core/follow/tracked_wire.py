"""A wire that tells which of its requests may still be carried out, though they got no answer."""

from __future__ import annotations

from dataware.core.ports import Judgement, Request, Response, Wire
from dataware.core.wrapped_wire import WrappedWire


class TrackedWire(WrappedWire):
    """Counts what becomes of each try of a request, so that none without an outcome is missed.

    Of `tries` a wire tells only the repetitions, and of answers it shows each to the judge.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._answers = self._unclear = self._sent = 0
        self._retries = wire.retries

    @property
    def unclear(self) -> int:
        """How many tries may still be carried out, though another one of them was answered."""
        tries = self._wire.retries - self._retries + self._sent
        return self._unclear + tries - self._answers

    async def send(self, request: Request) -> Response:
        """Send, and count the answers."""

        def judge(response: Response) -> Judgement:
            self._answers += 1
            verdict = request.judge(response)
            self._unclear += verdict is Judgement.RETRY
            return verdict

        try:
            return await self._wire.send(request._replace(judge=judge))
        finally:
            self._sent += 1
