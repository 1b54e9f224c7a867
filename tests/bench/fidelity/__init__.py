"""What each tool keeps of the same 30 objects and 30 items; published as docs/fidelity.md."""

from tests.bench.fidelity.run import fidelity

__all__ = ["fidelity"]
