"""Reads a bucket for verification; shares no code with the copier, not even a reader of XML.

The current objects are read by `reader`, all versions by `versions`, and both understand the
listings that S3 answers with through `listings`.
"""
