"""The copy engine: it knows copiers, journals and events, but no service."""

from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.engine import Engine, EngineSettings, ThrottleRelay, split
from dataware.migrate.lease_term import LeaseTerm, since_boot
from dataware.migrate.run_tools import RunTools
from dataware.migrate.worker_group import WorkerGroup, WorkerHandle
from dataware.migrate.worker_task import WorkerTask

__all__ = [
    "CopyState",
    "Counts",
    "Engine",
    "EngineSettings",
    "LeaseTerm",
    "RunTools",
    "ThrottleRelay",
    "WorkerGroup",
    "WorkerHandle",
    "WorkerTask",
    "since_boot",
    "split",
]
