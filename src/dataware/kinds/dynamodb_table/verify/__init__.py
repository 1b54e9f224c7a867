"""Reads a table for verification; shares no code with the copier, not even a reader of JSON.

The items are read by `reader`, which understands answers through `responses` and compares items
by the digests of `digests`.
"""
