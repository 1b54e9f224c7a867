"""An AWS of one's own: an emulator on this machine, for the demo and for tests."""

from dataware.embedded.environment import embedded_python
from dataware.embedded.server import EmbeddedAws, StreamSettings

__all__ = ["EmbeddedAws", "StreamSettings", "embedded_python"]
