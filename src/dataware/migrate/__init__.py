"""The copy engine: it knows copiers, journals and events, but no service."""
