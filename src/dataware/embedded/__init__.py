"""An AWS of one's own: an emulator on this machine, for the demo and for tests."""

from dataware.embedded.environment import embedded_python
from dataware.embedded.server import EmbeddedAws

__all__ = ["EmbeddedAws", "embedded_python"]
