"""The steps of a migration whose target the run makes as usual, and a service of AWS fills.

The service replaces what it finds, so it fills only what the run has just made, or what is still
empty. Into anything else this machine copies, which replaces nothing.
"""

from __future__ import annotations

from typing import Protocol

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import EngineName
from dataware.core.engines.port import TargetMaker
from dataware.core.model import Content, Facts, Wanted
from dataware.core.ports import Journal
from dataware.ops.context import Context
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.maker_run import MakerRun
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import MigrationRun
from dataware.verify.verdict import Verdict


class MakeMakerRun(Protocol):
    """How the steps are made, once it is known under which lease."""

    def __call__(
        self, context: Context, migration: Migration, run: str, keeper: LeaseKeeper
    ) -> MakerRun:
        """The steps of one migration."""
        ...


def make_maker_run(
    engine: EngineName, maker: TargetMaker, wanted: Wanted, *, loads: bool = False
) -> MakeMakerRun:
    """How the steps are made; where the engine `loads`, the run makes the target itself."""
    steps = LoaderRun if loads else MakerRun

    def make(context: Context, migration: Migration, run: str, keeper: LeaseKeeper) -> MakerRun:
        return steps(context, migration, run, keeper).use(engine, maker, wanted)

    return make


class LoaderRun(MakerRun):
    """The steps of one migration by a service that fills what the run has made."""

    def _create_target(self) -> Facts:
        if not self._begun:
            self._keep({"name": self._engine.value})
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
        self._enter(self._maker.words.begins)
        self._ask()
        self._watch()
        return super()._rounds(journal, order)

    def _may_fill(self, order: CopyOrder) -> bool:
        """Whether the target is new or empty, or is being filled, or was."""
        if self._migration.create is not None or self._migration.target.content is Content.EMPTY:
            return True
        progress = self._maker.look(self._begun, order.target)
        return progress.exists and not progress.failed
