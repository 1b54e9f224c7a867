"""Copies a table through DynamoDB's own HTTP interface.

`copier` scans pages of items and writes them in batches, which `items` makes; `client` speaks to
DynamoDB, and `decoding`, quicker with `fast_decoding`, keeps items as the bytes that were sent.
"""
