"""The copy engine: it knows copiers, journals and events, but no service."""

from dataware.migrate.assignment import Assignment
from dataware.migrate.crew import Crew, Member
from dataware.migrate.engine import Engine, EngineSettings, split
from dataware.migrate.progress import Counts, Progress
from dataware.migrate.term import LeaseTerm, since_boot

__all__ = [
    "Assignment",
    "Counts",
    "Crew",
    "Engine",
    "EngineSettings",
    "LeaseTerm",
    "Member",
    "Progress",
    "since_boot",
    "split",
]
