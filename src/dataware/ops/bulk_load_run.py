"""The steps of a migration whose target the run makes as usual, and a service of AWS fills.

The service replaces what it finds, so it fills only what the run has just made, or what is still
empty. Into anything else this machine copies, which replaces nothing.
"""

from __future__ import annotations

from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError
from dataware.core.model import Content, Facts
from dataware.core.ports import Journal
from dataware.ops.creator_run import CreatorRun, make_creator_run
from dataware.ops.engine_steps import EngineOrder
from dataware.ops.probe import look
from dataware.ops.run_migration import MakeRun, MigrationRun
from dataware.verify.verdict import Verdict


def make_run(order: EngineOrder) -> MakeRun:
    """How the steps of a migration are made whose target a service fills."""
    creator, wanted = order.open_creator(), order.planned.wanted
    return make_creator_run(order.card.name, creator, wanted, BulkLoadRun)


class BulkLoadRun(CreatorRun):
    """The steps of one migration by a service that fills what the run has made."""

    _refused = "copied"
    _next_try = "starts another one if the table is still empty, else copies the rest by itself"

    def _create_target(self) -> Facts:
        if not self._begun:
            self._keep({})
        return MigrationRun._create_target(self)

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Have it filled, verify, and carry what changed since."""
        if not self._may_fill(order):
            self._record = self._begun
            self._clean()
            self._warn(
                f"{order.target.name} is not empty, so this machine copies instead and replaces "
                "nothing"
            )
            return MigrationRun._rounds(self, journal, order)
        self._enter(self._creator.words.begins)
        self._ask()
        self._watch()
        # What an earlier run has made can be written to by others since, unlike a new target.
        self._was_whole = self._was_whole or self._migration.create is None
        return super()._rounds(journal, order)

    def _check_target(self) -> None:
        """Look again, because what comes before the request may take hours."""
        name = self._migration.order.target.name
        if self._read_content() is not Content.EMPTY:
            raise IncompleteError(
                f"nothing was {self._creator.words.done}, because {name} may no longer be empty "
                f"and a {self._creator.words.noun} replaces what it finds: run again to copy "
                "instead"
            )

    def _read_content(self) -> Content:
        """What the target holds now; a plan may be older, or may have taken it on trust."""
        return look(self._context, self._migration.kind, self._migration.order.target.name).content

    def _may_fill(self, order: CopyOrder) -> bool:
        """Whether the target is new or empty, or is being filled, or was."""
        if self._migration.create is not None or self._read_content() is Content.EMPTY:
            return True
        progress = self._look_at(self._begun)
        return progress.exists and not progress.failed
