"""Reads a repository for verification: by the API, where the copier speaks to the registry."""
