"""Copies the objects of a bucket by a job of S3 Batch Operations.

`manifest` lists for the job what to copy, `report` reads back what became of it; neither holds more
than a part in memory, so that a thousand million keys fit.
"""
