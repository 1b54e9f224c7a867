"""The copy engine: it knows copiers, journals and events, but no service."""

from dataware.migrate.assignment import Assignment
from dataware.migrate.crew import Crew, Member
from dataware.migrate.engine import Engine, EngineSettings, split
from dataware.migrate.progress import Progress

__all__ = ["Assignment", "Crew", "Engine", "EngineSettings", "Member", "Progress", "split"]
