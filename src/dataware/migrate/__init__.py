"""The copy engine: it knows copiers, journals and events, but no service."""

from dataware.migrate.engine import Engine, EngineSettings
from dataware.migrate.progress import Progress

__all__ = ["Engine", "EngineSettings", "Progress"]
