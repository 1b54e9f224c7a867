"""Reads a parameter for verification; shares no code with the copier."""
