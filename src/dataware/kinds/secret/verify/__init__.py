"""Reads a secret for verification; shares no code with the copier."""
