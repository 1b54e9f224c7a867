"""Reads a user pool for verification."""
