"""Renderers of events: a terminal, plain lines, JSON lines, documents of a plan.

This package may read what the inside emits; it decides nothing and calls no service.
"""

from dataware.report.choose import DOCUMENTS, Format, Renderer, appearance, make_renderer

__all__ = ["DOCUMENTS", "Format", "Renderer", "appearance", "make_renderer"]
