"""Carries a table by an export to S3: into a new table by an import, or by bulk put into one.

`table_export` asks for the export and `manifest` checks it; `table_import` and `bulk_put` read it.
"""
