"""Renderers of events: a terminal, plain lines, JSON lines.

This package may read what the inside emits; it decides nothing and calls no service.
"""

from dataware.report.choose import Format, Renderer, make_renderer

__all__ = ["Format", "Renderer", "make_renderer"]
