"""Reads a table for verification; shares no code with the copier.

The items are read by `reader`, which understands answers through `responses` and compares items
by the digests of `digests`. `fast_responses` cuts pages with the library that the copier uses, too,
and believes it only where its items join to the page again, byte for byte.
"""
