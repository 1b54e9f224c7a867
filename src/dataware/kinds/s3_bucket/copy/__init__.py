"""Copies a bucket, or what is under a prefix, through S3's own HTTP interface.

`copier` hands out pages of objects and copies them, with `listing` and `partitions` to find what
there is, `objects`, `multipart`, `conflicts` and `versions` to copy it, and `client` with
`requests`, `responses`, `xml` and `fast_xml` to speak to S3.
"""
