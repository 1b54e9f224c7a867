"""The use case of following: copy a source that is written to, then carry every change.

`exclusive` says into what a followed migration may write, `source_feed` chooses where its changes
come from, `difference` compares both sides beside it, `sync_carrier` carries, and `follow_run`
drives them all under the lock of the migration, for the use case `follow`.
"""
