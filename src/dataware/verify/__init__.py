"""Compares two resources key by key, by code that the copiers do not share."""
